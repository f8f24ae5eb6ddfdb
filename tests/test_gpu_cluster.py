"""A Dask cluster of which one worker has a GPU: that is preferred, and the file is the same."""

# ruff: noqa: F401, F811 (fixtures of another module)

import io
from concurrent.futures import Future
from contextlib import closing

import pytest

from nacrith.workers.choose import choose_workers
from nacrith.workers.cluster import GPU_LABEL
from tests import gpu_stand_in
from tests.test_gpu_workers import (
    DATA,
    compress,
    decompress,
    messages,
    options,
    seen,
    whole,
)

distributed = pytest.importorskip("distributed")


@pytest.fixture
def cluster(seen, monkeypatch):
    """A worker with the label, and one without."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-0")
    settings = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    labels = {GPU_LABEL: 1}
    with distributed.LocalCluster(**settings, resources=labels, silence_logs=50) as cluster:
        options = {k: v for k, v in cluster.new_spec["options"].items() if k != "resources"}
        cluster.new_spec = {**cluster.new_spec, "options": options}
        cluster.scale(2)
        cluster.wait_for_workers(2)
        yield cluster.scheduler_address


def workers_of(address):
    return closing(choose_workers(cluster=address))


def test_a_mixed_cluster_makes_one_file(options, whole, seen, cluster):
    with workers_of(cluster) as workers:
        assert compress(options, workers) == whole
        assert decompress(whole, options, workers) == DATA
    assert seen.used() == {"GPU-0"}


def test_a_gpu_of_a_cluster_that_fails(
    options,
    whole,
    seen,
    cluster,
    caplog,
):
    seen.spoil(gpu_stand_in.FULL, "GPU-0")
    with workers_of(cluster) as workers:
        assert compress(options, workers) == whole
    assert any("the GPU of worker tcp://" in message for message in messages(caplog))


def test_a_gpu_is_preferred(cluster):
    """Whoever has one is given frames first, and the others only what is too much for it."""
    with workers_of(cluster) as workers:
        executor = workers._make_executor()
        assert len(executor._gpus) == len(executor._others) == 1
        wanted = []

        def submit(*args, **where):
            wanted.append(where)
            return Future()

        executor._executor.submit = submit
        for _ in range(4):
            executor.submit(io.BytesIO)
        gpu, other = sorted(executor._gpus), sorted(executor._others)
        assert [where["workers"] for where in wanted] == [gpu, gpu, other, other]
        assert all(where["allow_other_workers"] for where in wanted)
        executor.shutdown()

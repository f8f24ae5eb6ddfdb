"""Groups in other processes: the same file, in order, whatever dies on the way."""

import io
import os
import random
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from nacrith.codec.codec_request import DecompressRequest
from nacrith.errors import FormatError, WorkerError
from nacrith.format.parameters import Parameters
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers import InProcess
from nacrith.workers.choose import choose_workers
from nacrith.workers.cluster import cluster_workers
from nacrith.workers.counting import worker_count
from nacrith.workers.jobs import SumOfBytes
from nacrith.workers.over_executor import MAX_FAILURES, OverExecutor
from nacrith.workers.place import THREAD_VARIABLES
from nacrith.workers.processes import process_workers
from tests.conftest import ROOT
from tests.whole_files import compressed, restored

PROSE = b"The owl and the pussycat went to sea in a beautiful pea-green boat.\n"
DATA = b"".join(bytes([i]) * 3 + PROSE * 4 + random.Random(i).randbytes(200) for i in range(9))
BLOCK = 512


@pytest.fixture(scope="module")
def options(tiny_gguf):
    return CompressOptions(
        tiny_gguf, "exact", parameters=Parameters(window=256), streams=1, block_size=BLOCK
    )


@pytest.fixture(scope="module")
def whole(options):
    return compress(options)


def compress(options, workers=None, progress=NO_PROGRESS) -> bytes:
    with closing(workers) if workers else nullcontext():
        return compressed(DATA, options, workers, progress)


def decompress(packed, options, workers) -> bytes:
    with closing(workers):
        return restored(packed, options.model, workers)


class Positions(Progress):
    """A progress display that remembers."""

    def __init__(self):
        self.seen = []

    def update(self, position, tokens, payload):
        self.seen.append(position)


def test_the_file_does_not_depend_on_the_number_of_processes(options, whole):
    for n in (2, 8):
        progress = Positions()
        assert compress(options, process_workers(n, 1, progress), progress) == whole
        assert progress.seen[-1] == len(DATA)
    assert decompress(whole, options, process_workers(2, 1)) == DATA


class Stages(Progress):
    """A progress display that remembers what takes time, and what was skipped."""

    def __init__(self):
        self.seen, self.skipped = [], 0

    def stage(self, what):
        self.seen.append(what)

    def skip(self, done):
        self.skipped = done

    def update(self, position, tokens, payload):
        self.last = position


def test_what_takes_time_is_told(options, whole):
    alone, several, resumed = Stages(), Stages(), Stages()
    compress(options, InProcess(alone), alone)
    assert alone.seen == ["loading the model"] and not alone.skipped
    compress(options, process_workers(2, 1, several), several)
    assert several.seen == ["starting 2 workers"]
    part = io.BytesIO(whole[: len(whole) // 2])
    compress_stream(io.BytesIO(DATA), part, options, len(DATA), resumed, resume=True)
    assert part.getvalue() == whole
    assert resumed.skipped > 0 and 0 < resumed.last <= len(DATA) - resumed.skipped


class Here(Executor):
    """Runs calls at once, unless `fault` makes them fail; counts what waits to be fetched."""

    def __init__(self, fault=lambda: None):
        self._fault = fault
        self.waiting = self.most_waiting = 0

    def submit(self, function, /, *args, **named):
        future: Any = Future()
        try:
            self._fault()
            future.set_result(function(*args, **named))
        except Exception as error:
            future.set_exception(error)
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        result = future.result

        def fetch(timeout=None):
            self.waiting -= 1
            return result(timeout)

        future.result = fetch
        return future


def test_no_more_groups_are_read_than_there_are_workers_for(options, whole):
    executor = Here()
    assert compress(options, OverExecutor(lambda: executor, 3)) == whole
    assert executor.most_waiting == 6


def failing(*errors):
    """Raise these errors, one a call, and nothing afterwards."""
    left = list(errors)

    def fault():
        if left:
            raise left.pop(0)

    return fault


def test_a_group_that_fails_is_tried_again(options, whole):
    for error in (OSError("disk"), MemoryError(), BrokenProcessPool()):
        fault = failing(*[error] * (MAX_FAILURES - 1))
        assert compress(options, OverExecutor(partial(Here, fault), 1)) == whole


def test_a_group_that_fails_three_times_fails_the_run(options):
    for error in (OSError("no space"), BrokenProcessPool("no space")):
        fault = failing(*[error] * MAX_FAILURES)
        with pytest.raises(WorkerError, match=r"3 times.*no space.*--workers"):
            compress(options, OverExecutor(partial(Here, fault), 1))


def test_what_is_wrong_with_the_input_is_not_tried_again(options):
    tries = []

    def fault():
        tries.append(1)
        raise FormatError("damaged")

    with pytest.raises(FormatError, match="damaged"):
        compress(options, OverExecutor(lambda: Here(fault), 2))
    assert len(tries) <= 2


def pids_of(workers: OverExecutor) -> list[int]:
    """Of its processes, which have begun."""
    executor: Any = workers._executor
    return executor.pids


def test_a_killed_process_is_replaced(options, whole, monkeypatch):
    workers = process_workers(2, 1)
    sink = io.BytesIO()
    killed: list[int] = []

    class Killer(Positions):
        """Kills a worker when the first frame has come."""

        def update(self, position, tokens, payload):
            if position >= BLOCK and not killed:
                pid = pids_of(workers)[0]
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    workers._progress = Killer()
    with closing(workers):
        compress_stream(io.BytesIO(DATA), sink, options, len(DATA), workers=workers)
    assert killed and sink.getvalue() == whole


def test_processes_are_gone_after_an_interruption(options):
    workers = process_workers(2, 1)
    pids: list[int] = []

    class Interrupt(Positions):
        def update(self, position, tokens, payload):
            pids.extend(pids_of(workers))
            if pids:
                raise KeyboardInterrupt

    workers._progress = Interrupt()
    with pytest.raises(KeyboardInterrupt), closing(workers):
        compress_stream(io.BytesIO(DATA), io.BytesIO(), options, len(DATA), workers=workers)
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pids and not any(alive(pid) for pid in pids)


def test_no_shared_memory_and_no_semaphores_are_needed(options, whole, monkeypatch):
    """They need /dev/shm, which may be read-only or full."""

    def read_only(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("_multiprocessing.SemLock", read_only)
    monkeypatch.setattr("multiprocessing.heap.Arena", read_only)
    assert compress(options, process_workers(2, 1)) == whole


def as_at_a_terminal():
    """Whoever runs the tests in the background, as by nohup, ignores these."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def run_interrupted(model, path, moment):
    """Run two workers; when `moment`, which is given the process, returns, interrupt all processes,
    as a terminal does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nacrith", "compress", "-f", "-q", "--workers", "2",
         "--block-size", "64K", *map(str, model), path],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=as_at_a_terminal,
    )  # fmt: skip
    moment(process)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=120)
    return process.returncode, error


def when_it_listens(process, seconds=0.0):
    """From then on Python has handed signals over to the program."""
    caught = 0
    while not caught & 1 << signal.SIGHUP - 1 and process.poll() is None:
        with open(f"/proc/{process.pid}/status") as status:
            (mask,) = [line.split()[1] for line in status if line.startswith("SigCgt")]
        caught = int(mask, 16)
    time.sleep(seconds)


def when_a_worker_starts(process, seconds=0.0):
    children = f"/proc/{process.pid}/task"
    while process.poll() is None:
        tasks = os.listdir(children)
        if any(read(f"{children}/{task}/children") for task in tasks):
            break
    time.sleep(seconds)


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
@pytest.mark.parametrize(
    "moment",
    [when_it_listens, partial(when_it_listens, seconds=0.1), when_a_worker_starts,
     *(partial(when_a_worker_starts, seconds=s) for s in (0.05, 0.2, 0.5, 0.9))],
)  # fmt: skip
def test_an_interruption_at_any_moment_is_one_line(tmp_path, model, moment):
    (tmp_path / "a").write_bytes(random.Random(1).randbytes(1 << 21))
    code, error = run_interrupted(model, tmp_path / "a", moment)
    if code or error:
        assert code == 128 + signal.SIGINT
        assert error.count(b"\n") == 1
        assert error == b"nacrith: interrupted\n" or error.endswith(b"go on with --resume\n")
    else:
        assert (tmp_path / "a.nc").exists()


def fail(name):
    if name == "exit":
        os._exit(3)
    print("printed by a library")
    raise {"no constructor": NoConstructor(1, 2), "file": OSError(5, "bad disk")}[name]


class NoConstructor(Exception):
    """An exception that can't be sent."""

    def __init__(self, a, b):
        super().__init__("not to be sent")


def test_what_a_process_raises_arrives_here(capfd):
    workers = process_workers(1, 1)
    pool: Any = workers._make_executor()
    with pytest.raises(OSError, match="bad disk"):
        pool.submit(fail, "file").result(60)
    with pytest.raises(WorkerError, match="NoConstructor: not to be sent"):
        pool.submit(fail, "no constructor").result(60)
    (pid,) = pool.pids
    with pytest.raises(Exception, match="exit code 3"):
        pool.submit(fail, "exit").result(60)
    assert pool.submit(os.getpid).result(60) != pid
    under_way = pool.submit(time.sleep, 60)
    waiting = pool.submit(os.getpid)
    pool.shutdown()
    assert under_way.exception(60) and waiting.exception(60)
    assert not pool.pids
    with pytest.raises(RuntimeError):
        pool.submit(os.getpid)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def environment_of_worker(names):
    return {name: os.environ.get(name) for name in names}


def test_a_worker_sees_its_threads():
    workers = process_workers(2, 3)
    call = (environment_of_worker, THREAD_VARIABLES)
    found = list(workers._map(call for _ in range(12)))
    workers.close()
    assert {seen[name] for seen in found for name in THREAD_VARIABLES} == {"3"}


def test_the_number_of_workers_follows_from_the_machine(monkeypatch):
    monkeypatch.setattr("nacrith.workers.counting.available_threads", lambda: 8)
    monkeypatch.setattr("nacrith.workers.counting.available_memory", lambda: 10 << 30)
    assert [worker_count(n) for n in (None, 1, 3, 100)] == [5, 1, 3, 5]
    monkeypatch.setattr("nacrith.workers.counting.available_memory", lambda: 0)
    assert worker_count() == 1
    assert isinstance(choose_workers(), InProcess)
    assert isinstance(choose_workers(2), OverExecutor)


def test_bytes_of_all_groups_add_up():
    told: list[int] = []
    report = SumOfBytes(told.append)
    for done in (1, 5, 9, 2, 4, 1):
        report(done, 0, 0)
    assert told == [1, 5, 9, 11, 13, 14]


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def test_a_cluster_makes_the_same_file_though_a_worker_is_killed(
    options, whole, cluster, monkeypatch
):
    progress = Positions()
    workers = choose_workers(cluster=cluster.scheduler_address, progress=progress)
    update = progress.update

    def kill_one(position, tokens, payload):
        if not progress.seen:
            cluster.workers[0].process.process._process.kill()
        update(position, tokens, payload)

    monkeypatch.setattr(progress, "update", kill_one)
    assert compress(options, workers, progress) == whole
    assert progress.seen[-1] == len(DATA)
    assert decompress(whole, options, choose_workers(cluster=cluster.scheduler_address)) == DATA


@pytest.mark.parametrize(
    "address",
    ["", "foo", "foo:bar", "tcp://", "tcp://127.0.0.1:1", "http://127.0.0.1:1", "inproc://x",
     "tls://127.0.0.1:1", "tcp://a\udcff..b:8"],
)  # fmt: skip
def test_no_cluster_is_an_error_that_says_so(address, monkeypatch, capfd):
    pytest.importorskip("distributed")
    monkeypatch.setattr("nacrith.workers.cluster.TIMEOUT", 1)
    with pytest.raises(WorkerError, match="no Dask scheduler answers") as caught:
        cluster_workers(address)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_what_is_no_scheduler_does_not_hang(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("nacrith.workers.cluster.TIMEOUT", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(WorkerError, match="no greeting"):
            cluster_workers(address)


def test_a_codec_request_travels(options, whole):
    import pickle

    from nacrith.format.container import MemberReader

    member = next(iter(MemberReader(io.BytesIO(whole))))
    assert member.header.model is not None
    request = DecompressRequest(member.header.model, member.header.parameters, options.model)
    assert pickle.loads(pickle.dumps(request)) == request
    assert request != replace(request, model=None)

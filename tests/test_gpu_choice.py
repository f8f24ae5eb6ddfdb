"""Which GPUs a run takes: what a user says, what NVML says, and what is missing."""

import sys
from types import SimpleNamespace

import pytest

from nacrith.cli.options import Team
from nacrith.errors import ArgumentError, DeviceError
from nacrith.system.devices import DeviceChoice
from nacrith.system.gpus import find_gpus
from nacrith.workers.choose import choose_workers
from nacrith.workers.gpu_choice import LEAST_MEMORY, check_pytorch, choose_gpus, may_find_gpus
from nacrith.workers.gpu_team import library_workers
from nacrith.workers.in_process import InProcess
from nacrith.workers.place import gpu_places
from tests.gpu_stand_in import fake_nvml


@pytest.fixture
def gpus(monkeypatch):
    """Eight GPUs, of which the third has most memory and the last too little."""
    free = [60 << 30, 50 << 30, 70 << 30, *[40 << 30] * 4, LEAST_MEMORY - 1]
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml(free))
    monkeypatch.setattr("nacrith.workers.gpu_choice.check_pytorch", lambda: None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def indexes(device, n=0):
    return [gpu.index for gpu in choose_gpus(DeviceChoice(device, n))]


@pytest.mark.usefixtures("gpus")
def test_those_with_the_most_free_memory_come_first():
    assert indexes("auto") == [2, 0, 1, 3, 4, 5, 6]
    assert indexes("cuda") == [2, 0, 1, 3, 4, 5, 6, 7]
    assert indexes("auto", 2) == indexes("cuda", 2) == [2, 0]
    assert indexes("cuda:7") == [7]
    assert indexes("cpu") == []
    with pytest.raises(DeviceError, match="there is no GPU 8; nacrith doctor shows"):
        choose_gpus(DeviceChoice("cuda:8"))


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("visible", "found"),
    [("2,0", ["GPU-2", "GPU-0"]), ("GPU-5", ["GPU-5"]), (" 1 ,9,3", ["GPU-1"]),
     ("1,-1,3", ["GPU-1"])],
)  # fmt: skip
def test_only_visible_gpus_are_seen_and_numbered_in_that_order(monkeypatch, visible, found):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    gpus = find_gpus()
    assert [gpu.uuid for gpu in gpus] == found
    assert [gpu.index for gpu in gpus] == list(range(len(found)))
    assert str(gpus[0]) == "GPU 0 (Test 4090)"


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize("visible", ["", "-1", "NoDevFiles", "GPU-", "GPU-77"])
def test_hidden_gpus_are_not_used(monkeypatch, visible):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert indexes("auto") == []
    with pytest.raises(DeviceError, match="CUDA_VISIBLE_DEVICES hides"):
        choose_gpus(DeviceChoice("cuda"))


@pytest.mark.usefixtures("gpus")
def test_a_process_sees_nothing_but_its_gpu():
    places = gpu_places(find_gpus()[:3], 5, threads=2)
    assert [place.variables["CUDA_VISIBLE_DEVICES"] for place in places] == [
        "GPU-0", "GPU-1", "GPU-2", "GPU-0", "GPU-1",
    ]  # fmt: skip
    assert {place.device for place in places} == {"cuda"}
    assert {place.variables["NACRITH_THREADS"] for place in places} == {"2"}


def broken_driver():
    nvml = fake_nvml([])

    def init():
        raise nvml.NVMLError("Driver Not Loaded")

    nvml.nvmlInit = init  # type: ignore[attr-defined]
    return nvml


@pytest.mark.parametrize(
    ("nvml", "words"),
    [(None, r"pip install 'nacrith\[gpu\]'"), (fake_nvml([]), "no GPU that could be used"),
     (broken_driver(), "driver must be installed: Driver Not Loaded")],
)  # fmt: skip
def test_without_gpus_the_processor_is_chosen_or_it_is_said_what_is_missing(
    monkeypatch, nvml, words
):
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr("nacrith.workers.gpu_choice.check_pytorch", lambda: None)
    assert may_find_gpus() == (nvml is not None)
    assert indexes("auto") == []
    for choice in (DeviceChoice("cuda"), DeviceChoice("cuda:1"), DeviceChoice("auto", 2)):
        with pytest.raises(DeviceError, match=words):
            choose_gpus(choice)
        with pytest.raises(DeviceError, match=words):
            choose_workers(device=choice)
        with pytest.raises(DeviceError, match=words), library_workers(choice):
            pass


def test_a_pytorch_that_can_not_is_no_pytorch(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DeviceError, match=r"PyTorch is missing: pip install 'nacrith\[gpu\]'"):
        check_pytorch()
    assert not may_find_gpus()
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    version = tmp_path / "version.py"
    version.write_text("debug = False\ncuda: Optional[str] = None\nhip: Optional[str] = None\n")
    with pytest.raises(DeviceError, match=r"for the processor only.*pytorch\.org"):
        check_pytorch()
    for line in ("cuda: Optional[str] = '12.6'", "cuda = '12.6'", "hip: Optional[str] = '6.2'"):
        version.write_text(f"__version__ = '2.9'\n{line}\n")
        check_pytorch()


def test_where_nothing_is_asked_for_no_library_is_loaded(monkeypatch):
    """What could find GPUs takes longer to ask than a small file to compress."""
    monkeypatch.setattr("nacrith.workers.gpu_team.may_find_gpus", lambda: True)
    monkeypatch.setattr("nacrith.workers.gpu_team.choose_gpus", lambda choice: 1 / 0)
    workers = choose_workers(1)
    assert not workers.takes_alone(None, 1 << 30)
    workers.close()
    monkeypatch.setattr("nacrith.workers.gpu_team.may_find_gpus", lambda: False)
    assert isinstance(choose_workers(1), InProcess)
    with library_workers(DeviceChoice()) as none:
        assert none is None


@pytest.mark.parametrize("device", ["", "gpu", "cuda:", "cuda:-1", "cuda:01", "CUDA", "cuda:1:2"])
def test_no_such_device(device):
    with pytest.raises(ArgumentError, match="auto, cpu, cuda or cuda:N"):
        DeviceChoice(device)


def test_what_excludes_each_other():
    for device in ("cpu", "cuda:0"):
        with pytest.raises(ArgumentError, match="exclude each other"):
            DeviceChoice(device, 2)
    assert DeviceChoice("cpu").problem_with("llama.cpp-gpu")
    for choice in (DeviceChoice("cuda"), DeviceChoice("auto", 1)):
        assert choice.problem_with("llama.cpp") and choice.problem_with("transformers")
        assert not choice.problem_with("exact") and not choice.problem_with("llama.cpp-gpu")
    assert not DeviceChoice().problem_with("llama.cpp")


def test_the_processors_time_is_only_told_where_it_does_the_work(monkeypatch):
    def is_on_processor(device, n=0, cluster=None):
        return Team(0, cluster, DeviceChoice(device, n)).is_on_processor

    for there_may_be in (True, False):
        monkeypatch.setattr("nacrith.workers.gpu_choice.may_find_gpus", lambda x=there_may_be: x)
        assert is_on_processor("auto") != there_may_be
        assert is_on_processor("cpu") and is_on_processor("auto", cluster="tcp://x:1")
        assert not is_on_processor("cuda:1") and not is_on_processor("auto", 1)

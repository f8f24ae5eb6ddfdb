"""One process per GPU, with the processor in place of the GPUs: what fails changes no byte."""

import io
import sys
from contextlib import closing
from dataclasses import replace

import pytest

import nacrith
from coder.messages import say_once
from nacrith import backends
from nacrith.backends import Backend
from nacrith.codec import frame_choice
from nacrith.codec.codec_slot import CodecSlot
from nacrith.codec.frame_decoder import decode_frame
from nacrith.errors import FormatError
from nacrith.format.parameters import Parameters
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import DEFAULT
from nacrith.system.devices import DeviceChoice
from nacrith.system.progress import Progress
from nacrith.workers import InProcess
from nacrith.workers.choose import choose_workers
from nacrith.workers.gpu_team import GPU_PAYS, library_workers
from tests import gpu_stand_in
from tests.conftest import ROOT
from tests.whole_files import compressed, restored

DATA = b"".join(b"%d owls and the king went to sea in a boat.\n" % i for i in range(120))
BLOCK = 512
N_FRAMES = -(-len(DATA) // BLOCK)


@pytest.fixture(scope="module")
def options(tiny_gguf):
    preset = replace(DEFAULT, least_saving=None)
    return CompressOptions(
        tiny_gguf, "exact", 1, preset, Parameters(window=256), streams=1, block_size=BLOCK
    )


@pytest.fixture(scope="module")
def whole(options):
    """The file that one process makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_choice, "DOUBTFUL_SHARE", float("inf"))
        return compress(options, None)


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """Eight GPUs: what is known of them."""
    site, folder = tmp_path / "site", tmp_path / "seen"
    for new in (site, folder):
        new.mkdir()
    (site / "sitecustomize.py").write_text(gpu_stand_in.SITE)
    monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT}")
    monkeypatch.setenv(gpu_stand_in.FOLDER, str(folder))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setitem(sys.modules, "pynvml", gpu_stand_in.fake_nvml([70 << 30] * 8))
    monkeypatch.setattr("nacrith.workers.gpu_choice.check_pytorch", lambda: None)
    monkeypatch.setattr(frame_choice, "DOUBTFUL_SHARE", float("inf"))
    say_once.cache_clear()
    return gpu_stand_in.Gpus(folder)


@pytest.fixture
def gpu_here(seen, monkeypatch):
    """This process is one that has a GPU."""
    row = Backend("exact-torch", 2, "exact", "tests.gpu_stand_in:load", True, True)
    table = tuple(row if old.name == row.name else old for old in backends.TABLE)
    monkeypatch.setattr(backends, "TABLE", table)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-0")


def compress(options, workers, data=DATA) -> bytes:
    return compressed(data, options, workers)


def decompress(packed, options, workers) -> bytes:
    return restored(packed, options.model, workers)


def on_gpus(n=0, wanted=0, device="cuda"):
    workers = choose_workers(wanted, None, N_FRAMES, 0, device=DeviceChoice(device, n))
    return closing(workers)


def messages(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "coder"]


def test_eight_gpus_of_which_some_fail_make_the_file_of_one_process(options, whole, seen, caplog):
    seen.spoil(gpu_stand_in.KILLED, "GPU-1")
    seen.spoil(gpu_stand_in.FULL, "GPU-2")
    seen.spoil(gpu_stand_in.FILLS_UP, "GPU-5")
    with on_gpus() as workers:
        assert compress(options, workers) == whole
    assert {"GPU-1", "GPU-2", "GPU-5"} <= seen.used()
    assert not seen.is_spoilt(gpu_stand_in.KILLED, "GPU-1")
    said = messages(caplog)
    assert {message.partition(";")[0] for message in said} == {
        "GPU 2 (Test 4090) failed: CUDA out of memory. Tried to allocate 9 GiB.",
        "GPU 5 (Test 4090) failed: out of memory",
    }
    assert len(said) == 2


def test_several_gpus_restore(options, whole, seen):
    seen.spoil(gpu_stand_in.FILLS_UP, "GPU-1")
    with on_gpus(2) as workers:
        assert decompress(whole, options, workers) == DATA
    assert seen.used() == {"GPU-0", "GPU-1"}


def test_pytorch_in_place_of_the_gpus_makes_the_file_of_one_process(options, seen):
    pytest.importorskip("predictors.language_models.exact_torch.model")
    seen.spoil(gpu_stand_in.PYTORCH, "GPU-0", "GPU-1")
    # It is slow with a small model.
    data = DATA[: 2 * BLOCK]
    with on_gpus(2) as workers:
        packed = compress(options, workers, data)
        assert packed == compress(options, None, data)
        assert decompress(packed, options, workers) == data


def test_when_all_gpus_have_failed_the_processor_goes_on(options, whole, seen, caplog):
    seen.spoil(gpu_stand_in.FULL, "GPU-0", "GPU-1")
    with on_gpus(2) as workers:
        assert compress(options, workers) == whole
    assert len(messages(caplog)) == 2


def test_a_gpu_whose_process_dies_again_and_again_is_given_up(options, whole, seen, monkeypatch):
    seen.spoil(gpu_stand_in.KILLED, "GPU-0")
    monkeypatch.setattr("nacrith.workers.processes._MAX_FAILURES", 1)
    with on_gpus(1) as workers:
        assert compress(options, workers) == whole


def test_several_processes_share_a_gpu(options, whole, seen):
    with on_gpus(2, wanted=3) as workers:
        assert compress(options, workers) == whole
    assert seen.used() == {"GPU-0", "GPU-1"}


def test_a_damaged_frame_is_what_the_processor_says_it_is(options, whole, seen, monkeypatch):
    """A GPU that computes wrong must not make a sound file seem damaged."""

    def wrong(*_):
        raise nacrith.errors.FormatError("a frame is damaged")

    monkeypatch.setattr("nacrith.workers.in_process.decode_frame", wrong)
    slot = CodecSlot("cuda")
    move = slot.move

    def mended(device):
        monkeypatch.setattr("nacrith.workers.in_process.decode_frame", decode_frame)
        move(device)

    monkeypatch.setattr(slot, "move", mended)
    assert decompress(whole, options, InProcess(slot=slot)) == DATA
    assert slot.device == "cpu"


@pytest.mark.usefixtures("gpu_here")
def test_a_gpu_of_this_process(options, whole, seen, caplog):
    with closing(InProcess(slot=CodecSlot("cuda"))) as workers:
        assert compress(options, workers) == whole
    assert seen.used() == {"GPU-0"}
    seen.spoil(gpu_stand_in.FILLS_UP, "GPU-0")
    with closing(InProcess(slot=CodecSlot("cuda"))) as workers:
        assert decompress(whole, options, workers) == DATA
    assert messages(caplog) == ["the GPU failed (out of memory); the processor goes on"]


@pytest.mark.usefixtures("gpu_here")
def test_who_stops_the_work_is_no_faulty_gpu(options, whole, caplog):
    class Stop(Progress):
        def update(self, position, tokens, payload):
            raise BrokenPipeError

    progress = Stop()
    workers = InProcess(progress, CodecSlot("cuda"))
    with pytest.raises(BrokenPipeError), closing(workers):
        decompress_stream(io.BytesIO(whole), None, options.model, progress, workers)
    assert not messages(caplog)


@pytest.mark.usefixtures("gpu_here", "keep_text")
def test_messages_on_a_gpu(tiny_gguf, seen, caplog):
    given = {"model": tiny_gguf, "window": 256, "threads": 1}
    texts = [DATA[:200], DATA[300:700]]
    expected = [nacrith.compress(text, **given) for text in texts]
    assert not seen.used()
    with nacrith.Codec(**given, device="cuda") as codec:
        assert list(codec.compress_many(texts)) == expected
        assert seen.used() == {"GPU-0"}
        seen.spoil(gpu_stand_in.FILLS_UP, "GPU-0")
        assert list(codec.decompress_many(expected)) == texts
        assert codec.decompress(expected[0]) == texts[0]
    assert len(messages(caplog)) == 1


@pytest.mark.usefixtures("gpu_here", "keep_text")
def test_a_damaged_message_is_no_fault_of_the_gpu(tiny_gguf):
    given = {"model": tiny_gguf, "window": 256, "threads": 1}
    texts = [DATA[:200], DATA[300:700]]
    whole = [nacrith.compress(text, **given) for text in texts]
    damaged = whole[1][:-9] + bytes([whole[1][-9] ^ 64]) + whole[1][-8:]
    with nacrith.Codec(**given, device="cuda") as codec:
        with pytest.raises(FormatError):
            codec.decompress(damaged)
        assert codec._shelf.device == "cuda"
        found = codec.decompress_many([whole[0], damaged, whole[1]])
        assert next(found) == texts[0]
        with pytest.raises(FormatError):
            next(found)
        assert codec._shelf.device == "cuda"
        assert list(codec.decompress_many(whole)) == texts


def test_the_library_uses_gpus_where_it_is_told_to(options, tiny_gguf, seen, whole):
    given = {"model": tiny_gguf, "device": "cuda:3"}
    text = DATA[:1500]
    packed = nacrith.compress(text, streams=1, window=256, **given)
    assert packed == nacrith.compress(text, model=tiny_gguf, streams=1, window=256)
    assert seen.used() == {"GPU-3"}
    assert nacrith.decompress(whole, model=tiny_gguf, device="cuda", gpus=1) == DATA
    assert seen.used() == {"GPU-3", "GPU-0"}
    with nacrith.open(io.BytesIO(packed), **given) as file:
        assert file.read() == text


def test_a_short_file_is_not_worth_a_gpu(options, whole, seen):
    for data in (DATA[:BLOCK], DATA):
        sink = io.BytesIO()
        with library_workers(DeviceChoice(), block_size=BLOCK) as workers:
            assert workers is not None
            compress_stream(io.BytesIO(data), sink, options, len(data), workers=workers)
        with library_workers(DeviceChoice()) as workers:
            restored = io.BytesIO()
            decompress_stream(io.BytesIO(sink.getvalue()), restored, options.model, workers=workers)
        assert restored.getvalue() == data
    assert sink.getvalue() == whole
    assert not seen.used()


def test_a_longer_one_is(options, seen, monkeypatch):
    monkeypatch.setattr("nacrith.workers.gpu_team.GPU_PAYS", BLOCK)
    sink = io.BytesIO()
    with library_workers(DeviceChoice(gpus=0), 1) as workers:
        compress_stream(io.BytesIO(DATA[:BLOCK]), sink, options, BLOCK, workers=workers)
    assert seen.used() == {"GPU-0"}
    assert GPU_PAYS > BLOCK


def test_what_needs_no_model_needs_no_gpu(seen, tmp_path, run_main):
    (tmp_path / "a").write_bytes(DATA)
    assert run_main("-1", "--device", "cuda", tmp_path / "a") == (0, "")
    assert run_main("-t", "-q", "--device", "cuda", tmp_path / "a.nc") == (0, "")
    assert not seen.used()


def test_the_command_line(seen, tmp_path, run_main, tiny_gguf):
    path = tmp_path / "a"
    path.write_bytes(DATA)
    model = ["--model", tiny_gguf]
    small = ["--window", "256", "--block-size", "2K"]
    assert run_main(path, "-8", "--gpus", "2", *model, *small) == (0, "")
    assert len(seen.used()) <= 2
    packed = path.with_name("a.nc")
    assert run_main("-d", "--device", "cuda:1", *model, packed, "-o", tmp_path / "b") == (0, "")
    assert (tmp_path / "b").read_bytes() == DATA
    code, said = run_main("-t", "--device", "cuda:9", *model, packed)
    assert code == 1 and "there is no GPU 9" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--device", "gpu"], "auto, cpu, cuda or cuda:N"),
        (["--device", "cpu", "--gpus", "2"], "exclude each other"),
        (["--device", "cuda:1", "--gpus", "2"], "exclude each other"),
        (["--device", "cuda", "--cluster", "tcp://x:1"], "--cluster and --device exclude"),
        (["--gpus", "2", "--cluster", "tcp://x:1"], "--cluster and --gpus exclude"),
        (["--gpus", "4", "--workers", "2"], "4 GPUs need as many --workers"),
    ],
)
@pytest.mark.parametrize("command", ["compress", "decompress", "test", "-z", "-d", "-t"])
def test_conflicts_are_wrong_usage(run_main, command, arguments, words, tmp_path):
    code, said = run_main(command, *arguments, tmp_path / "x")
    assert code == 2 and words in said


@pytest.mark.parametrize(
    ("backend", "device"),
    [("llama.cpp", "cuda"), ("transformers", "cuda:0"), ("llama.cpp-gpu", "cpu")],
)
def test_a_backend_that_does_not_run_there_is_wrong_usage(run_main, tmp_path, backend, device):
    code, said = run_main("compress", "--backend", backend, "--device", device, tmp_path / "x")
    assert code == 2 and backend in said
    with pytest.raises(ValueError, match=backend):
        nacrith.compress(b"x", backend=backend, device=device)


def test_llama_cpp_with_gpu_layers_has_one_process_per_gpu(options, seen):
    """Here it has no GPU, and says what to install."""
    gpu = replace(options, backend="llama.cpp-gpu", device=DeviceChoice("cuda"))
    with on_gpus(2) as workers, pytest.raises(nacrith.NacrithError, match="DGGML_CUDA"):
        compress(gpu, workers)


def test_doctor_names_every_gpu(tiny_gguf, seen, monkeypatch):
    from nacrith.doctor import examine

    monkeypatch.setattr("nacrith.doctor.check_pytorch", lambda: None)
    monkeypatch.setattr("nacrith.doctor._STREAMS_OF_GPU", (2, 4))
    monkeypatch.setitem(sys.modules, "pynvml", gpu_stand_in.fake_nvml([70 << 30, 9 << 30]))
    seen.spoil(gpu_stand_in.FULL, "GPU-1")
    found = dict(line for f in examine(tiny_gguf, seconds=0.02) for line in f.lines)
    assert found["GPU 0"] == "Test 4090, 70.0 of 80.0 GiB free: 3 streams of 1024 tokens"
    assert "tokens/s" in found["GPU 0, 2 streams"] and "GPU 0, 4 streams" not in found
    assert "9.0 of 80.0 GiB free; not measured: GPU 1 (Test 4090) failed: CUDA" in found["GPU 1"]
    assert "GPUs" not in found


def test_doctor_without_gpus(tiny_gguf, monkeypatch):
    from nacrith.doctor import examine

    monkeypatch.setitem(sys.modules, "pynvml", None)
    found = dict(line for f in examine(tiny_gguf, seconds=0.02) for line in f.lines)
    assert "none" in found["GPUs"] and "pip install 'nacrith[gpu]'" in found["GPUs"]

"""`nacrith bench device`, with few streams on the CPU."""

import numpy as np
import pytest

from nacrith.bench.device import depths_of, measure_device
from nacrith.format.parameters import Parameters
from predictors.language_models.trie import Trie
from tests.torch_devices import torch

TEXT = b"The owl and the pussycat went to sea in a beautiful pea-green boat.\n" * 6


def test_both_directions_and_their_shares(tiny_gguf, monkeypatch):
    # Frames of two streams at most: five streams are three frames side by side.
    monkeypatch.setattr("nacrith.bench.device.MAX_STREAMS", 2)
    parameters = Parameters(window=256)
    one, five = measure_device("cpu", TEXT, (1, 5), parameters, tiny_gguf)
    assert (one.streams, five.streams) == (1, 5)
    assert one.tokens == five.tokens and one.size == len(TEXT)
    assert one.payload < five.payload
    assert one.memory is None
    for measured in (one, five):
        for direction in (measured.compress, measured.decompress):
            assert direction.coder > 0 and 0 < direction.model <= direction.waiting
            assert direction.waiting < direction.total
        assert measured.prefill > 0 and measured.steps > 0


def test_decisions_of_a_symbol():
    trie = Trie([b"a", b"ab", b"b", b"c"])
    depths = depths_of(trie)
    assert depths.min() == trie.min_decisions and depths.max() == trie.max_decisions
    # A binary tree: the Kraft sum is 1.
    assert np.exp2(-depths.astype(float)).sum() == 1


def test_the_command(run_main, tiny_gguf, tmp_path):
    (tmp_path / "text").write_bytes(TEXT)
    report = tmp_path / "report.md"
    arguments = ["--model", tiny_gguf, "--streams", 2, "--bytes", 300, "--window", 256]
    code, errors = run_main("bench", "device", tmp_path / "text", *arguments, "-o", report)
    assert code == 0, errors
    assert "| 2, decompress |" in report.read_text()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu(run_main, tiny_gguf, tmp_path):
    (tmp_path / "text").write_bytes(TEXT)
    arguments = ["--model", tiny_gguf, "--device", "cuda"]
    code, errors = run_main("bench", "device", tmp_path / "text", *arguments)
    assert code == 1 and "no GPU" in errors


def test_a_text_of_fewer_tokens_than_streams(run_main, tiny_gguf, tmp_path):
    (tmp_path / "text").write_bytes(b"abc")
    arguments = ["--model", tiny_gguf, "--streams", 9, "--bytes", 3]
    code, errors = run_main("bench", "device", tmp_path / "text", *arguments)
    assert code == 1 and "fewer than streams" in errors


def test_the_arithmetic_needs_no_gpu(run_main, tiny_gguf, tmp_path):
    report = tmp_path / "report.md"
    arguments = ["--model", tiny_gguf, "--streams", 64, "--window", 256, "--arithmetic"]
    code, errors = run_main("bench", "device", *arguments, "-o", report)
    assert code == 0, errors
    assert report.read_text().count("| 64 streams") == 6


def test_what_is_counted(tiny_gguf):
    """Products of the tiny model, and that fused kernels are fewer and move less."""
    from nacrith.bench.device_arithmetic import count_steps

    shape, counts = count_steps([64], 256, tiny_gguf)
    plain, full, fused, _, batch, _ = counts
    width, heads = shape.width, shape.heads + 2 * shape.kv_heads
    of_layer = width * (heads * shape.head_size + width + 3 * shape.ffn_size)
    # The output matrix has as many columns as products take.
    columns = -(-shape.vocabulary // 16) * 16
    weights = shape.layers * of_layer + width * columns
    assert plain.int8 == 4 * 64 * weights
    assert plain.float32 < full.float32 and plain.bytes < full.bytes
    assert fused.launches < plain.launches / 10 and fused.bytes < plain.bytes / 4
    assert batch.rows == 1024 and batch.bytes < 16 * fused.bytes

"""Files of the backend exact-torch are those of the backend exact, and either restores them."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from nacrith.backends import find_backend
from nacrith.codec.loaded_models import load_model
from nacrith.codec.stream_choice import Cutting
from nacrith.codec.text_codec import TextCodec, TextPayload
from nacrith.errors import NacrithError
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import describe
from predictors.language_models.versions import VERSION
from tests.conftest import ROOT
from tests.torch_devices import DEVICES, torch

assert torch
from predictors.language_models.exact_torch.model import TorchModel, load  # noqa: E402

TEXT = b"The owl and the pussycat went to sea in a beautiful pea-green boat.\n" * 8
BACKENDS = ("exact", "exact-torch")


def codec_of(backend, gguf, streams, dictionary=b"", device="cpu"):
    model: Any = (
        load_model("exact", gguf, 1) if backend == "exact" else load(gguf, 1, device=device)
    )
    parameters = Parameters(window=256)
    return TextCodec(model, describe(gguf), parameters, Cutting(streams), dictionary=dictionary)


def restored(codec, payload, n_symbols):
    *_, texts = codec.decode(payload, n_symbols, len(TEXT))
    texts.known()
    return bytes(texts.original)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("streams", "dictionary"), [(1, b""), (5, b""), (2, TEXT[:150])])
def test_both_ways(tiny_gguf, device, streams, dictionary):
    codecs = {
        backend: codec_of(backend, tiny_gguf, streams, dictionary, device) for backend in BACKENDS
    }
    made = {backend: codec.encode(TEXT) for backend, codec in codecs.items()}
    assert made["exact"] == made["exact-torch"]
    n_symbols, payload = made["exact"]
    for codec in codecs.values():
        assert restored(codec, payload, n_symbols) == TEXT
    assert codecs["exact"].record == codecs["exact-torch"].record
    for codec in codecs.values():
        codec.close()


@pytest.mark.parametrize("is_on_gpu", [False, True])
def test_texts_side_by_side(tiny_gguf, is_on_gpu, monkeypatch):
    """Of lengths that differ, so that the session is narrowed; on a GPU, in threads."""
    monkeypatch.setattr(TorchModel, "is_on_gpu", is_on_gpu)
    codecs = [codec_of(backend, tiny_gguf, 1) for backend in BACKENDS]
    texts = [TEXT[:n] for n in (300, 40, 120, 121)]
    payloads = []
    for text in texts:
        n_symbols, payload = codecs[0].encode(text)
        payloads.append(TextPayload(payload, n_symbols, len(text)))
    for found, text in zip(codecs[1].decode_many(payloads), texts, strict=True):
        assert not isinstance(found, NacrithError)
        found.known()
        assert bytes(found.original) == text
    for codec in codecs:
        codec.close()


def test_the_commands(run_main, model, tmp_path):
    """A file of this backend is one of `exact`, and needs nothing to be said to be restored."""
    (tmp_path / "text").write_bytes(TEXT)
    packed = []
    for backend in BACKENDS:
        target = tmp_path / f"{backend}.nc"
        options = [*model, "--backend", backend, "--streams", 3, "-n", "-o", target]
        assert run_main("compress", tmp_path / "text", *options)[0] == 0
        packed.append(target.read_bytes())
    assert packed[0] == packed[1]
    arguments = [tmp_path / "exact-torch.nc", *model[:2], "-o", tmp_path / "restored"]
    assert run_main("decompress", *arguments)[0] == 0
    assert (tmp_path / "restored").read_bytes() == TEXT


def test_the_row_of_the_table(tiny_gguf):
    row = find_backend("exact-torch")
    assert (row.number, row.recorded) == (find_backend("exact").number, "exact")
    model = row.load(tiny_gguf, 1, version=VERSION)
    assert model.numerics.is_exact and model.sessions(500) == 1
    assert np.isfinite(model.open(1, 256, 4).step(np.array([5], dtype=np.int32))).all()


def test_what_to_install_is_said(tiny_gguf, tmp_path):
    """Where PyTorch is missing, and nothing else fails for it."""
    (tmp_path / "torch.py").write_text("raise ImportError('no torch')\n")
    code = (
        "from nacrith.codec.loaded_models import load_model\n"
        "from nacrith.errors import NacrithError\n"
        "from pathlib import Path\n"
        f"path = Path({str(tiny_gguf)!r})\n"
        "load_model('auto', path, 1)\n"
        "try:\n    load_model('exact-torch', path, 1)\n"
        "except NacrithError as error:\n    print(error)\n"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert "pip install 'nacrith[gpu]'" in done.stdout, done.stderr

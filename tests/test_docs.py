"""The examples of the documentation run and print what it says."""

import re

import pytest

from tests.conftest import ROOT

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_api(tmp_path, monkeypatch, capsys, tiny_gguf):
    pytest.importorskip("fsspec")
    # The same with a model that takes no time.
    monkeypatch.setattr("nacrith.models.embedded_path", lambda: tiny_gguf)
    monkeypatch.chdir(tmp_path)
    blocks = _BLOCK.findall((ROOT / "docs" / "api.md").read_text("utf-8"))
    names: dict = {}
    for kind, text in blocks:
        if kind == "python":
            exec(text, names)
        else:
            assert kind == "output"
            assert capsys.readouterr().out == text
    assert len(blocks) >= 7

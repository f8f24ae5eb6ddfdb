"""Where models are looked for."""

from pathlib import Path

from nacrith.models.catalog import models_directory


def test_a_user_without_a_home(monkeypatch):
    def none(cls):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("NACRITH_MODELS", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", classmethod(none))
    assert models_directory() == Path("/usr/local/share/nacrith/models")

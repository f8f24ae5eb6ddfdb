"""`--json`: the keys are those of docs/json.md."""

import json
import re
from typing import Any

import pytest

from nacrith import compress
from tests.conftest import ROOT

TEXT = b"The king and the thing went to the end of the sea.\n" * 9


def documented(command: str) -> set[str]:
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    section = text.split(f"## nacrith {command} --json\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def flattened(value: Any, known: set[str], key: str = "") -> set[str]:
    """Keys of objects and of objects in lists, as far down as they are documented."""
    has_more = any(other.startswith((f"{key}.", f"{key}[].")) for other in known)
    if key and not has_more:
        return {key}
    found = {key} - {""}
    if isinstance(value, dict):
        for name, inner in value.items():
            found |= flattened(inner, known, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for inner in value:
            found |= {*flattened(inner, known, f"{key}[]")} - {f"{key}[]"}
    return found


def assert_documented(command: str, objects: list[Any]) -> None:
    """Together they have all keys that are documented, and no others."""
    known = documented(command)
    assert known
    assert set().union(*(flattened(value, known) for value in objects)) == known


def lines(result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def test_list_and_info(nacrith, tmp_path, model, keep_text):
    (tmp_path / "a").write_bytes(TEXT)
    assert nacrith("compress", "-N", *model, "a").returncode == 0
    # A text so short would do without a model.
    (tmp_path / "b.nc").write_bytes(
        compress(TEXT, model=model[1], window=256, threads=1, block_size=200)
    )
    assert_documented("list", lines(nacrith("list", "--json", "a.nc", "b.nc")))
    assert_documented("info", lines(nacrith("info", "--json", "a.nc", "b.nc")))


def test_info_tells_the_streams(nacrith, tmp_path, model, keep_text):
    options = {"model": model[1], "window": 256, "threads": 1}
    two = compress(TEXT, streams=2, **options)
    (tmp_path / "a.nc").write_bytes(two + compress(TEXT, level=3))
    with_model, without = lines(nacrith("info", "--json", "a.nc"))[0]["members"]
    assert with_model["streams"] == [2] and without["streams"] == []
    assert b" tokens, 2 streams\n" in nacrith("info", "a.nc").stdout


def test_test(nacrith, tmp_path):
    (tmp_path / "a.nc").write_bytes(compress(TEXT, level=1))
    (tmp_path / "b.nc").write_bytes(compress(TEXT, level=1)[:-1])
    result = nacrith("test", "--json", "a.nc", "b.nc")
    good, bad = lines(result)
    assert result.returncode == 1 and b"truncated" in result.stderr
    assert good == {"file": "a.nc", "quick": False, "ok": True, "original": len(TEXT)}
    assert bad["ok"] is False and "truncated" in bad["error"]
    assert_documented("test", [good, bad])
    (quick,) = lines(nacrith("test", "--quick", "--json", "a.nc"))
    assert quick["quick"] and quick["ok"]


def test_models_and_doctor(nacrith, tiny_site):
    # The tests' model is no other one's default.
    environment = {"PYTHONPATH": f"{tiny_site}:{ROOT}"}
    models = lines(nacrith("models", "--json", environment=environment))
    assert_documented("models", models)
    assert models[0]["default"] is True and models[0]["correction"] is None
    result = nacrith("doctor", "--json", environment=environment)
    (found,) = lines(result)
    assert_documented("doctor", [found])
    assert [speed["streams"] for speed in found["speed"]] == [1, 8, 64]
    text = nacrith("doctor", environment=environment).stdout.decode()
    assert "kB/s of English" in text and "speed, 1 stream " in text


def test_a_key_that_is_not_documented_is_seen():
    with pytest.raises(AssertionError):
        assert_documented("models", [{**dict.fromkeys(documented("models")), "nonsense": 2}])

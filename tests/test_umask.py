"""The umask is found out without changing it, which other threads would notice."""

import os
import stat

import pytest

import nacrith
from nacrith.system import umask


@pytest.fixture(params=["as the system tells it", "by a trial"])
def way(request, monkeypatch, tmp_path):
    if request.param == "by a trial":
        monkeypatch.setattr(umask, "_STATUS", tmp_path / "missing")
    before = os.umask(0o022)
    set_umask = os.umask

    def refuse(mask: int) -> int:
        raise AssertionError("the umask is that of all threads")

    monkeypatch.setattr(os, "umask", refuse)
    yield set_umask
    set_umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o027, 0o077])
def test_new_files_get_what_the_umask_leaves(way, mask, tmp_path):
    way(mask)
    assert umask.current_umask() == mask & 0o666
    with nacrith.open(tmp_path / "a.nc", "wb", level=1) as file:
        file.write(b"data")
    assert stat.S_IMODE((tmp_path / "a.nc").stat().st_mode) == 0o666 & ~mask

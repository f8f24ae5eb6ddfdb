"""`nacrith` as tar's filter, with the real tar."""

import os
import shutil
import stat
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("tar"), reason="there is no tar")


@pytest.fixture
def tar(tmp_path):
    program = tmp_path / "bin" / "nacrith"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m nacrith "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}

    def run(*arguments):
        return subprocess.run(
            ["tar", "-I", "nacrith", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, check=False,
        )  # fmt: skip

    return run


def test_a_folder_comes_back(tar, tmp_path):
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "noise").write_bytes(os.urandom(3000))
    (folder / "below" / "zeros").write_bytes(bytes(3000))
    (folder / "below" / "zeros").chmod(0o604)
    (folder / "link").symlink_to("noise")
    noise = (folder / "noise").read_bytes()
    assert tar("-cf", "folder.tar.nc", "folder").returncode == 0
    assert (tmp_path / "folder.tar.nc").read_bytes()[:4] == b"NC06"
    shutil.rmtree(folder)
    assert b"folder/below/zeros" in tar("-tf", "folder.tar.nc").stdout
    assert tar("-xf", "folder.tar.nc").returncode == 0
    assert (folder / "noise").read_bytes() == noise
    assert (folder / "link").readlink().name == "noise"
    zeros = folder / "below" / "zeros"
    assert zeros.read_bytes() == bytes(3000)
    assert stat.S_IMODE(zeros.stat().st_mode) == 0o604


def test_tar_notices_damage(tar, tmp_path):
    (tmp_path / "noise").write_bytes(os.urandom(3000))
    assert tar("-cf", "a.tar.nc", "noise").returncode == 0
    packed = bytearray((tmp_path / "a.tar.nc").read_bytes())
    packed[1000] ^= 1
    (tmp_path / "a.tar.nc").write_bytes(packed)
    result = tar("-tf", "a.tar.nc")
    assert result.returncode != 0 and b"checksum" in result.stderr

"""The exact logits on other processors, as far as one machine can pretend to be them."""

import os
import subprocess
import sys
import zlib

import pytest

from tests.conftest import ROOT


def checksum(gguf, how, tmp_path, environment):
    done = subprocess.run(
        [sys.executable, "-m", "tests.exact_checksum", str(gguf), how],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    # A library may refuse a processor that it does not know, or one that this is not.
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.fixture(scope="module")
def expected(tiny_gguf):
    from tests.exact_checksum import with_kernels

    return zlib.crc32(with_kernels(tiny_gguf).tobytes())


@pytest.mark.parametrize(
    "environment",
    [
        {"NUMBA_CPU_NAME": "generic"},
        {"NUMBA_CPU_NAME": "haswell", "NUMBA_NUM_THREADS": "1"},
    ],
)
def test_kernels_without_vnni(tiny_gguf, expected, tmp_path, environment):
    assert checksum(tiny_gguf, "kernels", tmp_path, environment) == expected


@pytest.mark.parametrize("core", ["", "Haswell", "SkylakeX", "Sandybridge", "Prescott"])
@pytest.mark.parametrize("threads", [1, 2])
def test_float32_products_of_openblas(tiny_gguf, expected, tmp_path, core, threads):
    environment = {"OPENBLAS_NUM_THREADS": str(threads)}
    if core:
        environment["OPENBLAS_CORETYPE"] = core
    assert checksum(tiny_gguf, "float32", tmp_path, environment) == expected

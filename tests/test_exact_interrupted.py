"""A signal in the middle of a step must not leave the other threads waiting for ever."""

import subprocess
import sys

from tests.conftest import ROOT

CODE = """
import sys
from pathlib import Path
import numpy as np
import predictors.language_models.exact.model as module

model = module.ExactModel(Path(sys.argv[1]), 2)
session = model.open(1, 256, 4)
real = module.work

def called_away(thread, *arguments):
    if thread == 0:
        raise KeyboardInterrupt
    real(thread, *arguments)

module.work = called_away
try:
    session.step(np.zeros(1, dtype=np.int32))
except KeyboardInterrupt:
    print("interrupted")
model.close()
print("closed")
"""


def test_the_model_can_be_closed_after_an_interruption(tiny_gguf):
    result = subprocess.run(
        [sys.executable, "-c", CODE, tiny_gguf],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.stdout == "interrupted\nclosed\n", result.stderr

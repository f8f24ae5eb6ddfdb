"""Coverage-guided fuzzing of the reader with atheris, as long as you like.

atheris is not among the dependencies. Install it (`pip install atheris`, or
`pip install --group fuzz`), then, from the checkout:

    python tests/fuzz/atheris_container.py -max_total_time=600 CORPUS_FOLDER

The folder is filled with valid files. A crash is an input with wrong bytes, a foreign
exception, or more than 2 GB or 20 s; it is written to a file.
"""

import sys
import tempfile
from pathlib import Path
from random import Random

import atheris

# numba must get its kernels as they are.
with atheris.instrument_imports(include=["nacrith"], exclude=["nacrith.codec.segments"]):
    from nacrith.errors import NacrithError
    from tests.faults.mutants import Samples, outcome, with_right_checksums
    from tests.tiny_model import write_tiny_model

# The cross-check with PyTorch is slow to import.
sys.modules["torch"] = None  # type: ignore[assignment]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        samples = Samples.make(write_tiny_model(Path(folder)))
        for argument in sys.argv[1:]:
            if Path(argument).is_dir():
                for i, packed in enumerate(samples.packed):
                    (Path(argument) / f"{i}.nc").write_bytes(packed)

        def mutator(data: bytes, max_size: int, seed: int) -> bytes:
            """Half of the mutants get right checksums, to reach what is behind them."""
            random = Random(seed)
            if random.random() < 0.5:
                try:
                    return with_right_checksums(random, data)[:max_size]
                except NacrithError:
                    pass
            return atheris.Mutate(data, max_size)

        limits = ["-rss_limit_mb=2048", "-timeout=20"]
        atheris.Setup(
            [*sys.argv, *limits], lambda data: outcome(data, samples), custom_mutator=mutator
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()

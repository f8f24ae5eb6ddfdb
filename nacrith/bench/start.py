"""The parts of a start, measured in a process of their own: `python -m nacrith.bench.start`.

Arguments: the direction, a text or its compressed file, and when the process was started
(`time.time`). Prints the seconds of each part as JSON. Kernels are loaded when they are
first called, within the other parts, and counted apart.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from nacrith.system.garbage import seldom_searched

_seconds: dict[str, float] = {}


@contextmanager
def _part(name: str) -> Iterator[None]:
    begin, kernels = time.perf_counter(), _seconds.get("kernels", 0.0)
    yield
    inside = _seconds.get("kernels", 0.0) - kernels
    took = time.perf_counter() - begin
    _seconds[name] = _seconds.get(name, 0.0) + took - (0.0 if name == "kernels" else inside)


def _time_kernels() -> None:
    from coder.kernels import KernelCache

    load = KernelCache.load_overload

    def timed(self: KernelCache, *arguments: object) -> object:
        with _part("kernels"):
            return load(self, *arguments)

    setattr(KernelCache, "load_overload", timed)  # noqa: B010


def main() -> None:
    """See the module."""
    direction, path, started = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    _seconds["interpreter"] = time.time() - started
    with _part("numpy, numba"):
        import numba  # noqa: F401
    with _part("other imports"):
        # As the program does; no other module may.
        import_module("nacrith.cli")
        import nacrith.pipeline.compress
        import nacrith.pipeline.decompress  # noqa: F401
        from nacrith.codec.loaded_models import load_model
        from nacrith.codec.text_codec import TextCodec
        from nacrith.format.container import MemberReader
        from nacrith.format.frame import Kind
        from nacrith.format.parameters import Parameters
        from nacrith.models.corrections import default_corrected
        from predictors.language_models import array_file
        from predictors.language_models.exact import model_data
    _time_kernels()
    with _part("hash of the model"):
        file = default_corrected()
    read = array_file.map_arrays

    def timed(*arguments: Any) -> Any:
        with _part("weights"):
            return read(*arguments)

    setattr(model_data, "map_arrays", timed)  # noqa: B010
    with _part("vocabulary"):
        model = load_model("exact", file.path, 0, file.correction)
    _seconds["vocabulary"] -= _seconds["weights"]
    with open(path, "rb") as source:
        frame = next(iter(MemberReader(source))).sole if direction == "decompress" else None
    text = path.read_bytes()
    if not frame:
        with _part("tokenizer"):
            model.vocabulary.encode(text[:1])
    with _part("session"):
        codec = TextCodec(model, file, Parameters())
    with _part("text"):
        if frame:
            size = frame.size_of(Kind.TEXT)
            *_, last = codec.decode(frame.payloads[Kind.TEXT], frame.n_symbols, size)
            last.known()
        else:
            codec.encode(text)
    print(json.dumps(_seconds))


if __name__ == "__main__":
    with seldom_searched():
        main()

"""Which edition of the code a stored figure was measured with."""

import ast
import hashlib
from functools import cache
from pathlib import Path

from nacrith import __version__
from nacrith.format.container import VERSION

ROOT = Path(__file__).resolve().parent.parent.parent

# What decides sizes and speeds: not the command line, nor how results are shown.
FIGURES = (
    "coder",
    "predictors",
    "nacrith/backends.py",
    "nacrith/bench",
    "nacrith/codec",
    "nacrith/format",
    "nacrith/models",
    "nacrith/pipeline",
    "nacrith/transforms",
    "nacrith/workers",
)
# What decides a model's outputs on the beginning of a text.
OUTPUTS = (
    "coder/kernels.py",
    "predictors/base.py",
    "predictors/language_models",
    # The hash of the correction is in it.
    "nacrith/format/header.py",
    "nacrith/bench/ablation.py",
    "nacrith/bench/recording.py",
    "nacrith/transforms",
)
_SHOWING = {
    f"nacrith/bench/{name}.py"
    for name in (
        "backend_sections",
        "compare_report",
        "edition",
        "groups",
        "labels",
        "palette",
        "plots",
        "published",
        "report",
        "store",
    )
}
_HASH_DIGITS = 12


@cache
def edition(code: tuple[str, ...] = FIGURES) -> str:
    """The format's version, that of the package, and a hash of the code, for a file's name."""
    return f"{VERSION:02x}-{__version__}-{code_hash(ROOT, code)}"


def code_hash(root: Path, code: tuple[str, ...]) -> str:
    """A hash of Python files; comments and docstrings do not count.

    Args:
        root: the folder that holds the packages.
        code: files and folders in it.
    """
    digest = hashlib.sha256()
    for name in code:
        path = root / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            inside = file.relative_to(root).as_posix()
            if inside not in _SHOWING:
                digest.update(f"{inside}\0{_without_docstrings(file)}\0".encode())
    return digest.hexdigest()[:_HASH_DIGITS]


def _without_docstrings(file: Path) -> str:
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            del node.body[0]
    return ast.dump(tree)

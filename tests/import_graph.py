"""Imports among this repository's modules: `python -m tests.import_graph [ROOT] [--tree]`.

An arrow leads from a module to one that it imports, anywhere in its text. A module's floor
is the length of the longest chain of imports below it, so floor 0 imports nothing of ours;
a cycle has no floors.
"""

import argparse
import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("coder", "predictors", "nacrith", "corpora")

Graph = dict[str, set[str]]


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Each module's name, and its file."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def import_graph(root: Path = ROOT) -> Graph:
    """Which of our modules each module imports."""
    files = modules(root)
    return {name: _imports(path, files) - {name} for name, path in files.items()}


def _imports(path: Path, known: dict[str, Path]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name may be a module of the package, or something inside of it.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(name if name in known else node.module for name in names)
    return found & known.keys()


def packages(graph: Graph) -> Graph:
    """The same between packages, a top-level module standing for itself."""
    known = {name.rpartition(".")[0] for name in graph} | set(PACKAGES)

    def package(name: str) -> str:
        return name if name in known else name.rpartition(".")[0]

    merged: Graph = {}
    for name, targets in graph.items():
        merged.setdefault(package(name), set()).update(package(target) for target in targets)
    return {name: targets - {name} for name, targets in merged.items()}


def floors(graph: Graph) -> dict[str, int]:
    """Each module's floor; raises `graphlib.CycleError`."""
    found: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        found[name] = max((found[below] + 1 for below in graph[name]), default=0)
    return found


def tree(root: Path = ROOT) -> list[str]:
    """Each package, indented by its depth, with the first line of what it says of itself."""
    lines = []
    for name, path in modules(root).items():
        if path.name == "__init__.py":
            text = ast.get_docstring(ast.parse(path.read_text())) or ""
            indented = "    " * name.count(".") + name.rpartition(".")[2]
            lines.append(f"{indented:23} {text.partition(chr(10))[0]}".rstrip())
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=ROOT)
    parser.add_argument("--tree", action="store_true", help="each package with its first line")
    arguments = parser.parse_args()
    graph = import_graph(arguments.root)
    found = floors(graph)
    print(
        f"{len(graph)} modules, {sum(map(len, graph.values()))} arrows, "
        f"{max(found.values()) + 1} floors"
    )
    between = packages(graph)
    lines = tree(arguments.root)
    print(f"{len(lines)} packages, {sum(map(len, between.values()))} arrows between them")
    if arguments.tree:
        print(*lines, sep="\n")


if __name__ == "__main__":
    main()

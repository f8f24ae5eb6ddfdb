"""Which packages may import which: the layers of docs/architecture.md."""

from graphlib import CycleError

import pytest

from tests.import_graph import ROOT, floors, import_graph, tree

GRAPH = import_graph()

# A package, and what nothing in it may import, at the top of a module or inside.
FORBIDDEN = {
    "coder": ["predictors", "nacrith", "corpora"],
    "predictors": ["nacrith", "corpora"],
    "nacrith.format": ["predictors", "coder", "nacrith.transforms"],
    "nacrith.transforms": ["nacrith.codec", "nacrith.pipeline", "nacrith.cli"],
    "corpora": ["nacrith", "coder", "predictors"],
}


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def test_no_module_imports_itself_by_way_of_others():
    try:
        floors(GRAPH)
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_nothing_above_it(package):
    inside = {name: imports for name, imports in GRAPH.items() if is_in(name, package)}
    assert inside
    for forbidden in FORBIDDEN[package]:
        assert any(is_in(name, forbidden) for name in GRAPH)
        found = {n for n, imports in inside.items() if any(is_in(i, forbidden) for i in imports)}
        assert not found


def test_only_the_program_imports_the_command_line():
    found = {
        name
        for name, imports in GRAPH.items()
        if not is_in(name, "nacrith.cli") and any(is_in(i, "nacrith.cli") for i in imports)
    }
    assert found == {"nacrith.__main__"}


def test_the_document_has_every_package_and_what_it_says_of_itself():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert "\n".join(tree()) in text

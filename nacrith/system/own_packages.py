"""The packages beside `nacrith` that it is made of, and that none of a user's takes their place.

They are imported by names of their own, `coder`, `predictors` and `corpora`: see
docs/architecture.md.
"""

from importlib.util import find_spec
from pathlib import Path

from nacrith.errors import NacrithError

_SITE = Path(__file__).resolve().parent.parent.parent
"""The folder that `nacrith` is in."""


class ImportNameError(NacrithError, ImportError):
    """A module of the user would be imported in place of one of nacrith's."""


def check_packages(*names: str) -> None:
    """To be called before one of them is imported.

    Raises:
        ImportNameError: another module of such a name comes first.
    """
    for name in names:
        try:
            spec = find_spec(name)
        except ValueError:
            # A module that was made by hand is under that name already.
            spec = None
        origin = spec.origin if spec else None
        if origin and Path(origin).resolve().parent.parent == _SITE:
            continue
        folders = list(spec.submodule_search_locations or ()) if spec else []
        other = origin or next(iter(folders), "what has no file")
        raise ImportNameError(
            f"nacrith needs its own package {name}, in {_SITE}, but {other} would be imported "
            "in its place; rename that, or start Python where it is not found "
            "(PYTHONSAFEPATH=1 leaves out the folder of the script)"
        )

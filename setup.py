"""What pyproject.toml can't say: the man pages, which are made of the commands' own help."""

import sys
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent
# A build does not find the project itself.
sys.path.insert(0, str(ROOT))

from nacrith.cli.man_page import write_pages  # noqa: E402 (see above)

PAGES = write_pages(ROOT / "build" / "man")

setup(data_files=[("share/man/man1", [str(page.relative_to(ROOT)) for page in PAGES])])

"""`python -m tests.faults --quick --only kill`: makes docs/reliability.md."""

from pathlib import Path

import click

from tests.faults.report import write_reliability


@click.command()
@click.option("--quick", is_flag=True, help="A tenth of the trials.")
@click.option("--only", default="", metavar="TEXT", help="Faults whose name holds TEXT.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Markdown.")
def main(quick: bool, only: str, output: Path | None) -> None:
    """Kill runs, fill disks, spoil files: what is left afterwards?"""
    write_reliability(quick, only, output)


main()

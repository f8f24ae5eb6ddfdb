"""`nacrith list`: one line a file, as `xz -l` and `zstd -l` print."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from nacrith.cli.batch import for_each, name_of
from nacrith.cli.directory_walk import compressed
from nacrith.cli.display import printable
from nacrith.cli.file_job import open_compressed
from nacrith.cli.inputs import Inputs, with_inputs
from nacrith.cli.options import SUFFIXES
from nacrith.cli.units import duration
from nacrith.plural import counted


@dataclass
class Row:
    """A line; sizes in bytes, `seconds` is about how long it takes to restore it."""

    file: str
    frames: int
    compressed: int
    original: int
    seconds: float

    def text(self) -> str:
        ratio = f"{self.original / self.compressed:.2f}" if self.compressed else "-"
        bpb = f"{8 * self.compressed / self.original:.3f}" if self.original else "-"
        return (
            f"{self.frames:>6} {self.compressed:>13} {self.original:>13} {ratio:>7} {bpb:>6} "
            f"{duration(self.seconds):>8}  {printable(self.file)}"
        )


_HEAD = "frames    compressed      original   ratio    bpb  restore  file"
_SUMMED = ("frames", "compressed", "original", "seconds")


@click.command("list")
@with_inputs
@SUFFIXES
@click.option("-q", "--quiet", is_flag=True, help="No line above and below the files.")
@click.option("-v", "--verbose", is_flag=True, hidden=True, help="No effect.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one line a file.")
def list_files(inputs: Inputs, suffix: str, quiet: bool, verbose: bool, as_json: bool) -> None:
    """Show sizes and ratio of each FILE.nc, and about how long restoring it takes here.

    \b
    nacrith list *.nc
    nacrith -l *.nc
    """
    rows: list[Row] = []
    plain = quiet or as_json

    def job(path: Path | None) -> None:
        from nacrith.format.description import describe_file
        from nacrith.pipeline.restore_time import RestoreTime

        time = RestoreTime()
        with open_compressed(path) as source:
            found = describe_file(source, time.look_at)
        members = found["members"]
        row = Row(
            name_of(path),
            sum(member["frames"] for member in members),
            found["size"],
            sum(member["original_size"] for member in members),
            time.seconds,
        )
        if not (rows or plain):
            click.echo(_HEAD)
        rows.append(row)
        click.echo(json.dumps(asdict(row)) if as_json else row.text())

    try:
        for_each(inputs, job, choose=lambda path: compressed(path, suffix), quiet=quiet)
    finally:
        if len(rows) > 1 and not plain:
            total = [sum(getattr(row, name) for row in rows) for name in _SUMMED]
            click.echo(Row(counted(len(rows), "file"), *total).text())

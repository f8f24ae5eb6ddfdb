"""`nacrith info`, `models`, `doctor` and `setup`."""

import json
from pathlib import Path

import click

from nacrith.backends import BACKENDS
from nacrith.cli.batch import for_each, name_of
from nacrith.cli.directory_walk import compressed
from nacrith.cli.display import printable, say
from nacrith.cli.fetch import fetch
from nacrith.cli.file_job import open_compressed
from nacrith.cli.inputs import Inputs, with_inputs
from nacrith.cli.options import MODEL, NAME, OUTPUT_NAME
from nacrith.errors import NacrithError


@click.command()
@with_inputs
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one line a file.")
def info(inputs: Inputs, as_json: bool) -> None:
    """Show what a FILE.nc holds and needs, after checking its frames.

    \b
    nacrith info book.txt.nc
    """

    def job(path: Path | None) -> None:
        from nacrith.codec.streams_of_frame import streams_told
        from nacrith.format.description import describe_file, description_lines

        with open_compressed(path) as source:
            described = describe_file(source, streams_in=streams_told)
        description = {"file": name_of(path), **described}
        if as_json:
            click.echo(json.dumps(description))
        else:
            for line in description_lines(description):
                click.echo(printable(line))

    for_each(inputs, job, choose=compressed)


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one line a model.")
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models found, with their checksums.

    \b
    nacrith models
    nacrith models fetch
    nacrith models import SmolLM2-135M/ --dtype f32
    """
    if context.invoked_subcommand:
        return
    from nacrith.models.catalog import (
        INSTALL_HINT,
        candidates,
        default_path,
        describe,
        models_directory,
    )
    from nacrith.models.corrections import corrected, short_name

    found = [describe(path) for path in candidates()]
    default = default_path()
    for model in found:
        used = corrected(model).correction
        correction, base = short_name(used), short_name(used.base if used else None)
        is_default = model.path == default
        if as_json:
            row = {
                "name": model.name,
                "path": str(model.path),
                "sha256": model.sha256,
                "default": is_default,
                "correction": correction or None,
                "builds_on": base or None,
            }
            click.echo(json.dumps(row))
            continue
        mark = "  (default)" if is_default else ""
        for line in (f"{model.name}{mark}", f"  {model.path}", f"  sha256 {model.sha256}"):
            click.echo(printable(line))
        if correction:
            on = f", which builds on {base}" if base else ""
            click.echo(f"  correction of its weights {correction}{on}")
    if not default:
        say(f"the default model is missing: {INSTALL_HINT}")
    if not found:
        raise NacrithError(f"no models found (looked in {models_directory()} too)")


@models.command("import")
@click.argument("directory", type=NAME)
@click.option(
    "--dtype", type=click.Choice(["f32", "f16"]), default="f32", show_default=True,
    help="Type of the weight matrices.",
)  # fmt: skip
@click.option("-o", "--output", type=OUTPUT_NAME, metavar="PATH", help="GGUF path.")
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
def import_model(directory: Path, dtype: str, output: Path | None, force: bool) -> None:
    """Write a GGUF from a Hugging Face Llama checkpoint DIRECTORY.

    The directory holds config.json, tokenizer.json and *.safetensors.

    \b
    nacrith models import SmolLM2-135M/ --dtype f32
    """
    from nacrith.models.catalog import describe, models_directory
    from nacrith.models.import_checkpoint import import_checkpoint

    if output is None:
        output = models_directory() / f"{directory.resolve().name}.{dtype}.gguf"
        output.parent.mkdir(parents=True, exist_ok=True)
    import_checkpoint(directory, output, dtype, force)
    click.echo(f"{printable(str(output))}\n  sha256 {describe(output).sha256}")


models.add_command(fetch)


@click.command()
@MODEL
@click.option(
    "--backend", type=click.Choice(BACKENDS), default="auto", show_default=True, help="To test."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one object.")
def doctor(model: Path | None, backend: str, as_json: bool) -> None:
    """Show what this machine has for nacrith, and measure for two seconds how fast it and each of
    its GPUs is.

    \b
    nacrith doctor
    """
    from nacrith.cli.notices import show_notices
    from nacrith.doctor import examine

    show_notices()
    found = {}
    for finding in examine(model, backend):
        if as_json:
            found[finding.key] = finding.value
        else:
            for what, text in finding.lines:
                click.echo(printable(f"{what:<18} {text}"))
    if as_json:
        click.echo(json.dumps(found))


@click.command()
@MODEL
@click.option("-q", "--quiet", is_flag=True, help="No messages.")
def setup(model: Path | None, quiet: bool) -> None:
    """Compile what is compiled once, and unpack the model, so that the first file need not wait.

    \b
    nacrith setup
    """
    from nacrith.warm_up import warm_up

    for message in warm_up(model):
        if not quiet:
            say(message)

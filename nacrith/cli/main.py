"""The command `nacrith`: its sub-commands, and how it ends."""

import io
import os
import signal
import sys

import click

from nacrith import __version__
from nacrith.cli.bench import bench
from nacrith.cli.completion import completion
from nacrith.cli.compress import compress, decompress, test
from nacrith.cli.display import printable, say
from nacrith.cli.explain import explain
from nacrith.cli.failures import describe, is_internal, show_traceback
from nacrith.cli.inspect import doctor, info, models, setup
from nacrith.system import signals
from nacrith.system.environment import check_environment


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="nacrith")
@click.option("-d", "decode", is_flag=True, help="As a filter: decompress.")
@click.pass_context
def cli(context: click.Context, decode: bool) -> None:
    """Compress text with a small language model, without loss.

    \b
    nacrith compress book.txt          makes book.txt.nc
    nacrith decompress book.txt.nc     makes book.txt again

    Without a command it is a filter, as tar wants one:

    \b
    tar -I nacrith -cf folder.tar.nc folder
    tar -I nacrith -xf folder.tar.nc
    """
    if context.invoked_subcommand:
        if decode:
            raise click.UsageError("-d is for use without a command")
    elif not decode and sys.stdin and sys.stdin.isatty():
        click.echo(context.get_help())
    else:
        command = decompress if decode else compress
        command.main(["-c"], standalone_mode=False)


for _command in (
    compress,
    decompress,
    test,
    info,
    models,
    doctor,
    setup,
    bench,
    completion,
    explain,
):
    cli.add_command(_command)


def _prepare_streams() -> None:
    """Make the standard streams fit for all file names; open the ones that are closed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    # Else a file would get the number of a stream, and then what a library prints to it.
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (until the end)


def main() -> None:
    """Entry point: exit code 0 = done, 1 = failed, 2 = wrong usage, 128 + n = signal n."""
    signals.install()
    _prepare_streams()
    try:
        check_environment()
        cli.main(standalone_mode=False)
    except click.UsageError as error:
        lines = error.format_message().expandtabs().split("\n")
        click.UsageError("\n".join(map(printable, lines)), error.ctx).show()
        sys.exit(2)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort as error:
        # click makes it of KeyboardInterrupt, and of EOFError, which is none.
        if isinstance(error.__cause__, EOFError):
            _fail(error.__cause__)
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        _fail(error)


def _fail(error: Exception) -> None:
    say(f"nacrith: {describe(error)}")
    if is_internal(error) and {"-v", "--verbose"} & set(sys.argv):
        show_traceback(error)
    sys.exit(1)

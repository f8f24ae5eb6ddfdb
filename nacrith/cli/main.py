"""The command `nacrith`: its sub-commands, and how it ends."""

import io
import os
import signal
import sys
from typing import TextIO, cast

import click

from nacrith import __version__
from nacrith.cli.bench import bench
from nacrith.cli.check import test
from nacrith.cli.closed_output import ClosedOutput
from nacrith.cli.completion import completion
from nacrith.cli.compress import compress, decompress
from nacrith.cli.display import printable, say
from nacrith.cli.explain import explain
from nacrith.cli.failures import describe, is_internal, show_traceback
from nacrith.cli.inspect import doctor, info, models, setup
from nacrith.cli.listing import list_files
from nacrith.cli.program import Program
from nacrith.cli.short_form import command_arguments
from nacrith.system import signals
from nacrith.system.environment import check_environment


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, "-V", "--version", prog_name="nacrith")
@click.pass_context
def cli(context: click.Context) -> None:
    """Compress text with a small language model, without loss.

    \b
    nacrith compress book.txt          or nacrith book.txt: makes book.txt.nc
    nacrith decompress book.txt.nc     or nacrith -d book.txt.nc: makes book.txt again

    Without a command it is used as gzip, xz and zstd are: -d decompresses, -t tests, -l lists,
    and all options of these commands can be given. Without FILE it is a filter, as tar wants one:

    \b
    tar -I nacrith -cf folder.tar.nc folder
    tar -I nacrith -xf folder.tar.nc

    unnacrith is nacrith -d, and nacat is nacrith -dc.
    """
    if context.invoked_subcommand:
        return
    if sys.stdin and sys.stdin.isatty():
        click.echo(context.get_help())
    else:
        _run(context, compress, ["-c"])


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    short_help="Restore each FILE.nc to standard output.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[OPTION]... [FILE]...")
@click.pass_context
def cat(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Restore each FILE.nc to standard output: `nacrith decompress -c`.

    \b
    nacrith cat book.txt.nc | less
    """
    _run(context, decompress, ["-c", *arguments])


def _run(context: click.Context, command: click.Command, arguments: list[str]) -> None:
    """Run one command in place of another. (Its `main` would end it in its own way.)"""
    with command.make_context(command.name, arguments, parent=context.find_root()) as inner:
        command.invoke(inner)


for _command in (
    compress,
    decompress,
    cat,
    test,
    list_files,
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
    if sys.stdout is None:
        sys.stdout = cast(TextIO, ClosedOutput())
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (until the end)


def main(program: str = "nacrith") -> None:
    """Entry point: exit code 0 = done, 1 = failed, 2 = wrong usage, 128 + n = signal n.

    Args:
        program: nacrith, unnacrith or nacat.
    """
    signals.install()
    _prepare_streams()
    try:
        check_environment()
        arguments = command_arguments(cli, sys.argv[1:], program)
        cli.main(arguments, prog_name="nacrith", standalone_mode=False)
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

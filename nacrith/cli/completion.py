"""`nacrith completion`."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes nacrith's commands and options in a SHELL.

    \b
    nacrith completion bash > ~/.local/share/bash-completion/completions/nacrith
    nacrith completion zsh > ~/.zfunc/_nacrith
    nacrith completion fish > ~/.config/fish/completions/nacrith.fish

    For zsh, ~/.zshrc must say `fpath+=~/.zfunc` before `autoload -Uz compinit; compinit`.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    program = context.find_root().command
    click.echo(kind(program, {}, "nacrith", "_NACRITH_COMPLETE").source())

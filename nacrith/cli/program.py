"""What the group of all commands does that click's groups do not."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from nacrith.cli.broken_pipe import exiting_without_reader
from nacrith.cli.short_form import command_arguments


class Program(click.Group):
    """Ends as other programs do where the reader of its output has gone, and completes files and
    options also where no command is named."""

    def make_context(
        self, info_name: str | None, args: list[str], *rest: Any, **extra: Any
    ) -> click.Context:
        if extra.get("resilient_parsing"):
            args = self._with_command(args)
        with exiting_without_reader():
            return super().make_context(info_name, args, *rest, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with exiting_without_reader():
            return super().invoke(ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            usual = click.Context(self.commands["compress"], parent=ctx)
            names = {item.value for item in found}
            more = usual.command.shell_complete(usual, incomplete)
            return found + [item for item in more if item.value not in names]
        # A shell shows either words or files.
        return found or [CompletionItem(incomplete, type="file")]

    def _with_command(self, arguments: list[str]) -> list[str]:
        """Of a line to be completed: as `command_arguments`, which an unfinished one may offend."""
        try:
            return command_arguments(self, arguments) if arguments else arguments
        except click.UsageError:
            return arguments

"""A group of commands whose list is never cut off, and which knows what a mistyped command was meant to be."""

from __future__ import annotations

import difflib
from typing import Any

import click

_LONGEST = 300
"""Characters of a command's line in the list; it is wrapped and not cut."""


class HelpfulGroup(click.Group):
    """See the head of this file."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group`. Raises `click.UsageError` with the nearest command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), 1, 0.5)
            if not near or "Did you mean" in error.message:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: Any) -> None:
        """See `click.Group`."""
        for title, names in self.sections(ctx).items():
            with formatter.section(title):
                formatter.write_dl([(name, self.line_of(ctx, name)) for name in names])

    def sections(self, ctx: click.Context) -> dict[str, list[str]]:
        """The parts of the list: title and commands."""
        return {"Commands": self.list_commands(ctx)}

    def line_of(self, ctx: click.Context, name: str) -> str:
        """The command's line in the list."""
        command = self.get_command(ctx, name)
        return command.get_short_help_str(_LONGEST) if command is not None else ""

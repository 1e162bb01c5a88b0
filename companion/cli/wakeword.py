"""`companion wakeword`: wake words of one's own. Other packages add commands, as the maker's tools (`studio`) do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from companion.cli.group import HelpfulGroup

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_MAKERS_COMMANDS = ("train", "evaluate")
_NO_STUDIO = (
    "`companion wakeword {name}` belongs to the maker's tools (the package companion-studio), which are not installed "
    "here. They run on the computer where units are prepared: in a checkout of the project, `make setup` installs them."
)


def _commands_of_packages() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group="companion.wakeword_commands")}


class WakewordCommands(HelpfulGroup):
    """Our own commands, and those of other installed packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group`."""
        return sorted({*super().list_commands(ctx), *_commands_of_packages()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group`. Raises `click.UsageError` for a maker's command where those are not installed."""
        own = super().get_command(ctx, cmd_name)
        added = _commands_of_packages().get(cmd_name)
        if own is None and added is None and cmd_name in _MAKERS_COMMANDS:
            raise click.UsageError(_NO_STUDIO.format(name=cmd_name), ctx)
        return own if own is not None or added is None else added.load()


@click.group(cls=WakewordCommands)
def wakeword() -> None:
    """Make a wake word of your own, and find out how good it is."""

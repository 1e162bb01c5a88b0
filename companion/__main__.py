"""The command line. To add a command, write a file in `companion/cli` and add a line to `COMMANDS`.

A command is imported only when it is used, so that `companion --help` is quick on a small board. Other packages add
commands through the entry-point group `companion.commands`, as the maker's tools (`studio`) do.

Exit status: 0 success, 2 wrong usage, 69 a device or engine is missing, 78 a settings file is wrong, 1 other failures.
"""

from __future__ import annotations

import importlib
import logging
import sys
from typing import TYPE_CHECKING

import click

from companion import __version__
from companion.cli.examples import EXAMPLES, GROUPS
from companion.cli.group import HelpfulGroup
from companion.errors import CompanionError
from companion.service import systemd

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

COMMANDS = {
    "body": ("body:body", "What the body can show: list it, play it, or draw the toy on a page."),
    "chat": ("chat:chat_command", "Talk with the character in the terminal, to tune a persona."),
    "check": ("check:check", "Find every problem in device, persona and choreography files."),
    "control": ("control:control", "Use the running device's buttons, volume, voice and persona."),
    "converse": ("converse:converse", "Hold a conversation with files in place of the sound card."),
    "demo": ("demo:demo", "Talk live where there is a sound card; otherwise play a conversation and draw it."),
    "doctor": ("doctor:doctor", "The station test: PASS and FAIL for every part, and what to do."),
    "emulate": ("emulate:emulate", "Stand in for the character service on this machine."),
    "factory-reset": (
        "factory_reset:factory_reset",
        "Erase memory, keys, pairing, Wi-Fi and learnt voices; calibration stays.",
    ),
    "identity": ("identity:identity", "Print this unit's number as text and as a QR code."),
    "latency": ("latency:latency", "How long people wait for an answer, and what held the slowest turns back."),
    "memory": ("memory:memory", "See, correct, forget or export what the character remembers."),
    "models": ("models:models", "List, fetch, check or remove speech models and voices."),
    "owner": ("owner:owner", "Open the owner's page for a parent's telephone; the guardian's consent."),
    "parse": ("parse:parse", "Read a model's text on stdin; print what would be spoken and the cues in it."),
    "provision": ("provision:provision", "Set a unit up from companion.toml on its card."),
    "run": ("run:run", "Listen, talk and move, with the sound card, until stopped."),
    "say": ("say:say", "Say TEXT in the persona's voice."),
    "status": ("control:status", "Show the state of the running device."),
    "usage": ("usage:usage", "Requests, tokens, cached share and cost, by day and person."),
    "wakeword": ("wakeword:wakeword", "Make a wake word of your own, find out how good it is, teach it your voice."),
}
"""Each command's name with its module and object in `companion.cli`, and its line in the list of commands."""

_MAKERS_COMMANDS = ("kit",)
_NO_STUDIO = (
    "`companion {name}` belongs to the maker's tools (the package companion-studio), which are not installed here. "
    "They run on the computer where units are prepared: in a checkout of the project, `make setup` installs them."
)

_EPILOG = """\b
Examples:
  companion run                       listen, talk and move
  companion chat                      talk with the character at the keyboard
  companion models pull en            fetch a speech model and a voice
  sudo companion memory show          on a unit: what it remembers

\b
The tab key completes commands after this, in bash (zsh_source, fish_source):
  eval "$(_COMPANION_COMPLETE=bash_source companion)"
"""


def _commands_of_packages() -> dict[str, EntryPoint]:
    """The commands of other installed packages, by name."""
    # Reading every package's metadata takes a while; a command of our own does without.
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group="companion.commands") if entry.name not in COMMANDS}


class Commands(HelpfulGroup):
    """The group of all commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group`."""
        return sorted({*super().list_commands(ctx), *COMMANDS, *_commands_of_packages()})

    def sections(self, ctx: click.Context) -> dict[str, list[str]]:
        """See `HelpfulGroup`."""
        parts = {title: list(names) for title, names in GROUPS.items()}
        grouped = {name for names in parts.values() for name in names}
        others = [name for name in self.list_commands(ctx) if name not in grouped]
        return parts | ({"Other": others} if others else {})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group`. Raises `click.UsageError` for a maker's command where those are not installed."""
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name][0].partition(":")
            command: click.Command = getattr(importlib.import_module(f"companion.cli.{module}"), name)
            command.epilog = f"Example: {EXAMPLES[cmd_name]}"
            return command
        added = _commands_of_packages().get(cmd_name)
        if added is None and cmd_name in _MAKERS_COMMANDS:
            raise click.UsageError(_NO_STUDIO.format(name=cmd_name), ctx)
        return super().get_command(ctx, cmd_name) if added is None else added.load()

    def line_of(self, ctx: click.Context, name: str) -> str:
        """See `HelpfulGroup`. Does not import our own commands."""
        return COMMANDS[name][1] if name in COMMANDS else super().line_of(ctx, name)


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=_EPILOG
)
@click.version_option(__version__, prog_name="companion")
@click.option("-v", "--verbose", is_flag=True, help="Log every step (never what is said, unless log_transcripts).")
def cli(verbose: bool) -> None:
    """The runtime inside a talking thing: it hears, thinks in character, speaks, and acts what it says."""
    systemd.install_log_handler()
    logging.getLogger().setLevel(logging.WARNING)
    for chatty in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("companion").setLevel(logging.DEBUG if verbose else logging.INFO)


def main() -> None:
    """The entry point: every failure that a person can cause becomes one sentence and an exit status."""
    try:
        cli.main(prog_name="companion", standalone_mode=False)
    except CompanionError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_status)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()

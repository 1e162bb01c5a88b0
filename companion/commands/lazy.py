"""Commands that are imported when they are used: `companion --help` must be quick on a small board."""

from __future__ import annotations

import importlib
from typing import Any

import click

COMMANDS = {
    "body": ("companion.commands.body:body", "What the body can show: list it, play it, or draw the toy on a page."),
    "chat": ("companion.commands.chat:chat_command", "Talk with the character in the terminal, to tune a persona."),
    "control": ("companion.commands.status:control", "Use the running device's buttons, volume, voice and persona."),
    "doctor": ("companion.commands.doctor:doctor", "The station test: PASS and FAIL for every part, and what to do."),
    "emulate": ("companion.commands.emulate:emulate", "Stand in for the character service on this machine."),
    "identity": ("companion.commands.identity:identity", "Print this unit's number as text and as a QR code."),
    "kit": ("companion.commands.kit:kit", "Pack everything for an installation without a network."),
    "memory": ("companion.commands.memory:memory", "See, correct, forget or export what the character remembers."),
    "models": ("companion.commands.models:models", "List, fetch, check or remove speech models and voices."),
    "provision": ("companion.commands.provision:provision", "Set a unit up from companion.toml on its card."),
    "status": ("companion.commands.status:status", "How the running device is."),
    "usage": ("companion.commands.usage:usage", "Requests, tokens, cached share and cost, by day and person."),
}
"""Name -> where it is, and what the list of commands says of it."""


class LazyGroup(click.Group):
    """A group with `COMMANDS` beside those that were added to it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group`."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group`."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: Any) -> None:
        """See `click.Group`; nothing is imported for it."""
        rows = []
        for name in self.list_commands(ctx):
            own = self.commands.get(name)
            rows.append((name, COMMANDS[name][1] if own is None else own.get_short_help_str(90)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

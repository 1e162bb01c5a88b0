"""The list of commands, and the example at the end of each command's --help."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from companion.__main__ import COMMANDS, cli
from companion.cli.examples import EXAMPLES, GROUPS


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_ends_with_an_example(command: str) -> None:
    shown = CliRunner().invoke(cli, [command, "--help"]).output
    assert f"Example: {EXAMPLES[command]}" in " ".join(shown.split())


def test_every_command_stands_in_one_group() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)
    shown = CliRunner().invoke(cli, ["--help"]).output
    assert all(f"{title}:" in shown for title in GROUPS)

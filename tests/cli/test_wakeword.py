"""`companion wakeword` and the commands that the maker's tools add to it."""

from __future__ import annotations

import importlib.metadata

import pytest
from click.testing import CliRunner

from companion.cli.wakeword import wakeword


@pytest.mark.parametrize("name", ["evaluate", "train"])
def test_a_unit_tells_where_the_makers_commands_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: ())
    done = CliRunner().invoke(wakeword, [name, "x"])
    assert done.exit_code == 2
    assert f"`companion wakeword {name}` belongs to the maker's tools" in done.stderr


def test_a_command_of_another_package_is_listed_and_run(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = importlib.metadata.EntryPoint(
        "evaluate", "tests.support.added_command:added", "companion.wakeword_commands"
    )
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: (entry,))
    assert "A command of another package." in CliRunner().invoke(wakeword, ["--help"]).output
    assert CliRunner().invoke(wakeword, ["evaluate"]).output == "run\n"

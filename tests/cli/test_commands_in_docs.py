"""Pages for people who read no code name only commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from companion.__main__ import cli

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["parents.md", "troubleshooting.md"])
def test_every_command_of_a_page_exists(page: str) -> None:
    named = re.findall(r"`(?:sudo )?companion ([a-z-]+)(?: ([a-z]+))?", (DOCS / page).read_text(encoding="utf-8"))
    assert named
    for name, sub in named:
        command = cli.get_command(click.Context(cli), name)
        assert command, name
        if sub and isinstance(command, click.Group):
            assert command.get_command(click.Context(command), sub), f"{name} {sub}"


def test_every_test_that_is_to_show_something_exists() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", (DOCS / "children-and-law.md").read_text(encoding="utf-8")))
    assert named
    assert [name for name in sorted(named) if not (DOCS.parent / name).exists()] == []

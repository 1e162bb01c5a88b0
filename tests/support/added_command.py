"""A command that another package adds."""

from __future__ import annotations

import click


@click.command()
def added() -> None:
    """A command of another package."""
    click.echo("run")

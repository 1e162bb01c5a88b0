"""`companion demo`: demonstrate a conversation, live or from a file."""

from __future__ import annotations

from pathlib import Path

import click

from companion.cli.options import PROJECT, own_file, run_to_end


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True)
@click.option("--file", "from_file", is_flag=True, help="Play the demonstration from a file though there is a card.")
def demo(out: Path, from_file: bool) -> None:
    """Talk live where there is a sound card; otherwise play a conversation from a file and draw it."""
    from companion.demo.demonstration import demonstrate

    own_file(PROJECT / "configs")
    run_to_end(demonstrate(PROJECT, out, from_file=from_file))

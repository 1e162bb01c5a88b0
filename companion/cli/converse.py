"""`companion converse`: a conversation with files in place of the sound card."""

from __future__ import annotations

from pathlib import Path

import click

from companion.cli.options import bench_options, run_to_end


@click.command()
@click.option("--in", "heard", type=click.Path(path_type=Path), required=True, help="What the microphone hears: a WAV.")
@click.option("--out", "said", type=click.Path(path_type=Path), required=True, help="Where the loudspeaker's WAV goes.")
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), help="Write events there, as JSON lines.")
@click.option("--realtime", is_flag=True, help="Let the file take as long as it would with a sound card.")
@bench_options
def converse(
    heard: Path, said: Path, events: Path | None, realtime: bool, device_file: Path, settings: tuple[str, ...]
) -> None:
    """Hold a conversation with files in place of the sound card.

    Audio time is the file's: nothing waits for real time unless --realtime, and the work of the engines takes none.
    """
    from companion.app import converse_with_files
    from companion.config.unit import load_unit

    device, persona = load_unit(device_file, settings)
    run_to_end(converse_with_files(device, persona, heard, said, events, realtime=realtime))

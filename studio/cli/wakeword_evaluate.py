"""`companion wakeword evaluate`: what a wake word misses and mistakes, held against recordings."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from companion.errors import CompanionError
from companion.storage import write_atomically
from studio.wakeword.curve import svg
from studio.wakeword.evaluation import Evaluation
from studio.wakeword.evaluation import evaluate as evaluate_word
from studio.wakeword.hearing import Word
from studio.wakeword.rates import at_most_per_hour, at_one_per_hour

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_TOLD = 5
"""Files that cannot be used of which each is told."""


@click.command(
    epilog="Examples: companion wakeword evaluate hey_momo.ww --positives said/ --negatives talk/; "
    "companion wakeword evaluate alexa --positives alexa/ --negatives talk/ --noise kitchen/ --json"
)
@click.argument("word", metavar="FILE")
@click.option("--positives", type=_FOLDER, required=True, help="Recordings of the word: each holds it once.")
@click.option("--negatives", type=_FOLDER, required=True, help="Recordings of other talk, of any length; hours of it.")
@click.option("--noise", type=_FOLDER, help="Mix these recordings of noise into the positives.")
@click.option(
    *("--snr", "snr_db"),
    type=click.FloatRange(-20, 60),
    default=10.0,
    show_default=True,
    help="How many dB the noise is below the speech.",
)
@click.option(
    "--picture", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.svg", help="Draw the curve into it."
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    help="Processes side by side; by default the cores.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it for programs.")
def evaluate(
    word: str,
    positives: Path,
    negatives: Path,
    noise: Path | None,
    snr_db: float,
    picture: Path | None,
    jobs: int,
    as_json: bool,
) -> None:
    """Let the wake word FILE hear recordings, and count what it misses and mistakes.

    FILE is a .ww file or a ready-made word (alexa, okay_nabu, hey_jarvis, hey_mycroft). The folders hold WAV and FLAC
    files of any rate. The engine hears them as on a unit, at each sensitivity of the device file. An hour of negatives
    or more is needed, and takes some minutes.

    \b
    --json prints, beside others (docs/wake-words.md):
      missed                 share of the positives, 0 to 1, at its own threshold
      false_alarms_per_hour  at its own threshold
      at_one_per_hour        share that is missed at one false alarm an hour, or null
      cpu                    processor seconds per second of sound
      delay_ms               median from the end of the word to its recognition
      curve                  the same for each sensitivity
    """
    found_word = Word(word)
    if picture is not None and not picture.absolute().parent.is_dir():
        raise CompanionError(f"{picture} cannot be written: there is no folder {picture.absolute().parent}.")
    with click.progressbar(length=1000, file=sys.stderr, hidden=as_json or not sys.stderr.isatty()) as bar:
        found = evaluate_word(
            *(found_word, positives, negatives),
            noise=noise,
            snr_db=snr_db,
            jobs=jobs,
            progress=lambda part: bar.update(round(part * 1000) - bar.pos),
        )
    for line in found.skipped[:_TOLD]:
        click.echo(f"Skipped: {line}", err=True)
    if len(found.skipped) > _TOLD:
        click.echo(f"Skipped: {len(found.skipped) - _TOLD} more files", err=True)
    if picture is not None:
        try:
            write_atomically(picture, svg(found.word, found.points, found.own, _about(found)).encode())
        except OSError as error:
            raise CompanionError(f"{picture} cannot be written: {error.strerror or error}.") from error
    click.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else "\n".join(_table(found)))


def _about(found: Evaluation) -> str:
    noise = f" in noise at {found.snr_db:g} dB" if found.snr_db is not None else ""
    recordings = "recording" if found.positives == 1 else "recordings"
    return f"{found.positives} {recordings} of the word{noise}, {found.hours:.3g} h of other sound"


def _table(found: Evaluation) -> Iterator[str]:
    yield f'"{found.word}": {_about(found)}'
    yield ""
    yield "sensitivity   threshold      missed   false alarms an hour"
    for one in found.points:
        mark = "  <- its own threshold" if one == found.own else ""
        row = (
            f"{one.sensitivity:11.1f} {one.threshold:11.3f} {one.missed * 100:9.1f} % {one.false_alarms_per_hour:12.2f}"
        )
        yield row + mark
    yield ""
    at_one, note = at_one_per_hour(found.points, found.hours)
    if at_one is not None:
        yield f"At one false alarm an hour it misses {at_one:.1%}."
    if note:
        yield f"{note[0].upper()}{note[1:]}."
    if not found.own.false_alarms:
        most = f"at most {at_most_per_hour(found.hours):.2g} an hour (95 %)"
        yield f"At its own threshold there was no false alarm in {found.hours:.2g} h: {most}."
    if found.delay_ms is not None:
        yield f"It is recognised {found.delay_ms:.0f} ms after its end (median)."
    yield f"Processor time: {found.cpu:.4f} s per second of sound."
    if found.skipped:
        yield f"{len(found.skipped)} files could not be used."

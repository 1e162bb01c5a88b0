"""`companion wakeword train`: a wake word from its spelling."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

from companion.config.word_file import read, write
from companion.errors import ConfigError
from companion.languages.understood import DEFAULT
from companion.models.catalogue import find_installed
from studio.wakeword.advice import better, in_use, warnings
from studio.wakeword.language import WordLanguage, codes, word_language
from studio.wakeword.training import Progress
from studio.wakeword.training import train as train_word

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    epilog='Examples: companion wakeword train "hey momo"; '
    'companion wakeword train "hallo moritz" --language de --out moritz.ww'
)
@click.argument("phrase")
@click.option("--language", default=DEFAULT, show_default=True, help="Whose rules the phrase is spoken by.")
@click.option("--out", type=_FILE, help="The file; by default the phrase with _ for spaces, and .ww.")
@click.option(
    "--false-alarms",
    type=click.FloatRange(0.01, 100),
    default=1.0,
    show_default=True,
    metavar="RATE",
    help="Wanted false alarms in an hour of talk beside the device. Fewer make it deafer.",
)
@click.option("--piper", type=_FILE, multiple=True, help="A Piper voice (.onnx) of the language, to speak as well.")
@click.option("--beside", type=_FILE, multiple=True, help="A .ww file of another word that the same device hears.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True, help="Another one, other voices.")
@click.option("--strict", is_flag=True, help="Make nothing where something speaks against the phrase.")
def train(
    phrase: str,
    language: str,
    out: Path | None,
    false_alarms: float,
    piper: tuple[Path, ...],
    beside: tuple[Path, ...],
    seed: int,
    strict: bool,
) -> None:
    """Make a wake word of PHRASE from its spelling alone.

    Synthetic voices say it in synthetic rooms, and say what sounds near it. Takes one to two minutes on two cores and
    needs no network. The file may be sold. Ten recordings of the owner make it much better: companion wakeword enroll.
    """
    phrase = " ".join(phrase.split())
    if not re.search(r"[^\W\d_]", phrase) or len(phrase) > 80:
        raise click.UsageError('PHRASE is the word as it is spoken, in letters: companion wakeword train "hey momo"')
    known = word_language(language)
    out = out or Path(re.sub(r"[^\w]+", "_", phrase.casefold()).strip("_") + ".ww")
    if out.suffix != ".ww":
        raise click.UsageError(f"--out {out}: a wake word's file ends in .ww")
    if not out.parent.is_dir():
        raise click.UsageError(f"--out {out}: there is no folder {out.parent}; make it first")
    others = in_use(word_language(DEFAULT)) | _beside(beside)
    others.pop(phrase.casefold(), None)
    if found := warnings(phrase, known, others):
        for warning in found:
            click.echo(f"! {warning}", err=True)
        if proposals := better(phrase, known, others):
            click.echo("  Better: " + ", ".join(f'"{one}"' for one in proposals), err=True)
        if strict:
            raise SystemExit(1)
    voices = list(dict.fromkeys((*piper, *_installed_piper(language))))
    with click.progressbar(length=100, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def show(progress: Progress) -> None:
            bar.label = progress.doing
            bar.update(round(progress.part * 100) - bar.pos)

        try:
            word = train_word(
                *(phrase, known), seed=seed, false_alarms_per_hour=false_alarms, piper=voices, progress=show
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error
    write(out, word)
    card = word.card
    click.echo(f'{out}: "{card.phrase}" ({card.language}), {os.path.getsize(out) // 1000} kB')
    missed = card.expected.get("missed", card.expected.get("missed without second look"))
    if isinstance(missed, float):
        click.echo(f"Of synthetic voices in noisy rooms it misses {missed:.0%}; measure it with real ones:")
    click.echo(f"  companion wakeword evaluate {out} --positives DIR --negatives DIR")
    click.echo(f'Into the device file:  [ears]  wake = {{ word = "{out.name}" }}')


def _beside(files: tuple[Path, ...]) -> dict[str, WordLanguage]:
    words = (read(file) for file in files)
    return {word.phrase.casefold(): word_language(word.language) for word in words if word.language in codes()}


def _installed_piper(language: str) -> list[Path]:
    """The Piper voice of the language that this machine has."""
    voice = find_installed("piper", language)
    return [] if voice is None else [voice]

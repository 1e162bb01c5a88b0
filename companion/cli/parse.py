"""`companion parse`: what would be spoken of a model's text, and the cues in it with their positions."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import click

from companion.config.policy import NAMES, load_policy
from companion.errors import CompanionError
from companion.events import Cue
from companion.guard.judge import Judge, Said
from companion.languages.language import language as load_language
from companion.languages.loader import language_codes
from companion.languages.understood import DEFAULT, Understood, understood
from companion.mind.api.answer_filter import AnswerFilter
from companion.mind.api.speakers import TEMPLATE_NAMES
from companion.voice.sentences import Sentences
from companion.voice.stage.scanner import is_cjk
from companion.voice.stage.stage import Stage


@click.command()
@click.option("--chunks", is_flag=True, help="Each input line is a JSON string: one streamed delta.")
@click.option("--batch", is_flag=True, help="Each input line is a JSON list of deltas, each output line its result.")
@click.option("--name", help="The character's name, removed where it stands before a line; guessed when not given.")
@click.option(
    "--language",
    type=click.Choice(language_codes()),
    default=DEFAULT,
    show_default=True,
    help="The persona's language: its directions are understood, and those of the languages that it names beside it.",
)
@click.option("--policy", metavar="NAME", help=f"Leave out what a policy blocks: {', '.join(NAMES)}, or its file.")
def parse(chunks: bool, batch: bool, name: str | None, language: str, policy: str | None) -> None:
    """Read a model's text on stdin; print what would be spoken and the cues in it, as one JSON object."""
    judge = Judge(load_policy(policy), understood(language)) if policy is not None else None
    if chunks and batch:
        raise click.UsageError("--chunks and --batch exclude each other.")
    text = _utf8(sys.stdin.buffer.read())
    if batch:
        for number, line in _lines(text):
            click.echo(_json(parse_deltas(_deltas(line, number, list), name, language, judge)))
    elif chunks:
        click.echo(
            _json(parse_deltas([_deltas(line, number, str) for number, line in _lines(text)], name, language, judge))
        )
    else:
        click.echo(_json(parse_deltas([text], name, language, judge)))


def parse_deltas(
    deltas: Iterable[str], name: str | None = None, language: str = DEFAULT, judge: Judge | None = None
) -> dict[str, Any]:
    """Run the deltas of an answer through what the mind and the stage take out. None as `name` guesses the speaker.

    Returns `{"speech": str, "cues": [{"emotion", "gesture", "intensity", "at", "source"}, ...]}`. Lines are joined by a
    space, or directly between Chinese or Japanese characters. `at` counts code points of `speech`. With a `judge` the
    sentences that it blocks, and their cues, are left out, and `"blocked"` lists them: `[{"category", "sentence"}]`.
    """
    stage = Stage(name, understood(language))
    answer = AnswerFilter((*TEMPLATE_NAMES, *load_language(language).prompts.script_names))
    pieces: list[str | Cue] = []
    for delta in deltas:
        pieces += stage.feed(answer.feed(delta))
    pieces += [*stage.feed(answer.close()), *stage.close()]
    if judge is None:
        return _spoken(pieces)
    kept, blocked = _judged(pieces, understood(language), judge)
    return {**_spoken(kept), "blocked": blocked}


def _judged(
    pieces: list[str | Cue], languages: Understood, judge: Judge
) -> tuple[list[str | Cue], list[dict[str, str]]]:
    """What may be said of this, cut into sentences as for the voice; and what may not."""
    cutter = Sentences(languages=languages)
    sentences = [one for piece in pieces for one in cutter.feed(piece)] + cutter.close()
    kept: list[str | Cue] = []
    blocked: list[dict[str, str]] = []
    length, said = 0, Said()
    for sentence in sentences:
        category = judge.verdict(sentence.text, said)
        said = said.then(sentence.text)
        if category is not None:
            blocked.append({"category": category, "sentence": sentence.text})
            continue
        blank = "" if not kept or is_cjk(sentence.text[:1]) else " "
        kept.append(blank + sentence.text)
        kept += [replace(cue, at=length + len(blank) + cue.at) for cue in sentence.cues]
        length += len(blank) + len(sentence.text)
    return kept, blocked


def _spoken(pieces: list[str | Cue]) -> dict[str, Any]:
    """The pieces as one line with its cues."""
    lines = "".join(piece for piece in pieces if isinstance(piece, str)).rstrip("\n")
    speech = ""
    places = []
    for index, ch in enumerate(lines):
        places.append(len(speech))
        if ch != "\n":
            speech += ch
        elif not (is_cjk(lines[index - 1]) and is_cjk(lines[index + 1])):
            speech += " "
    places.append(len(speech))
    cues = [
        {
            "emotion": cue.emotion,
            "gesture": cue.gesture,
            "intensity": cue.intensity,
            "at": places[min(cue.at, len(lines))],
            "source": cue.source,
        }
        for cue in pieces
        if isinstance(cue, Cue)
    ]
    return {"speech": speech, "cues": cues}


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CompanionError(f"The input is not UTF-8 text (byte {error.start}).") from error


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _deltas(line: str, number: int, kind: type) -> Any:
    wanted = "a JSON string" if kind is str else "a JSON list of strings"
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise CompanionError(f"Line {number} of the input is not {wanted}: {error.msg}.") from error
    if not isinstance(value, kind) or (isinstance(value, list) and not all(isinstance(one, str) for one in value)):
        raise CompanionError(f"Line {number} of the input is not {wanted}.")
    return value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

"""`companion parse`: what would be spoken of a model's text, and the cues in it with their positions."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import click

from companion.errors import CompanionError
from companion.events import Cue
from companion.languages.language import language as load_language
from companion.languages.loader import language_codes
from companion.languages.understood import DEFAULT, understood
from companion.mind.api.answer_filter import AnswerFilter
from companion.mind.api.speakers import TEMPLATE_NAMES
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
def parse(chunks: bool, batch: bool, name: str | None, language: str) -> None:
    """Read a model's text on stdin; print what would be spoken and the cues in it, as one JSON object."""
    if chunks and batch:
        raise click.UsageError("--chunks and --batch exclude each other.")
    text = _utf8(sys.stdin.buffer.read())
    if batch:
        for number, line in _lines(text):
            click.echo(_json(parse_deltas(_deltas(line, number, list), name, language)))
    elif chunks:
        click.echo(_json(parse_deltas([_deltas(line, number, str) for number, line in _lines(text)], name, language)))
    else:
        click.echo(_json(parse_deltas([text], name, language)))


def parse_deltas(deltas: Iterable[str], name: str | None = None, language: str = DEFAULT) -> dict[str, Any]:
    """Run the deltas of an answer through what the mind and the stage take out. None as `name` guesses the speaker.

    Returns `{"speech": str, "cues": [{"emotion", "gesture", "intensity", "at", "source"}, ...]}`. Lines are joined by a
    space, or directly between Chinese or Japanese characters. `at` counts code points of `speech`.
    """
    stage = Stage(name, understood(language))
    answer = AnswerFilter((*TEMPLATE_NAMES, *load_language(language).prompts.script_names))
    pieces: list[str | Cue] = []
    for delta in deltas:
        pieces += stage.feed(answer.feed(delta))
    pieces += [*stage.feed(answer.close()), *stage.close()]
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

"""What a person who looks on at a terminal reads, and what it never does to the terminal."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.service.transcript import transcript_line
from companion.terminal import Terminal


@pytest.mark.parametrize(
    ("kind", "fields", "line"),
    [
        ("wake", {"word": "okay_nabu"}, "Momo is awake and listens."),
        ("utterance", {"text": "hello there"}, "you: hello there"),
        ("heard", {"text": "Hi! I am", "reason": "interrupted"}, "Momo: Hi! I am (interrupted)"),
        ("heard", {"text": "Hi!", "reason": "finished"}, "Momo: Hi!"),
        ("heard", {"text": "", "reason": "offline"}, None),
        ("cue", {"emotion": None, "gesture": "wave"}, "      * wave"),
        ("state", {"state": "idle"}, None),
        ("body", {"lights": {}, "positions": {}}, None),
    ],
)
def test_a_person_reads_what_was_understood_said_and_felt(kind: str, fields: dict[str, Any], line: str | None) -> None:
    assert transcript_line(kind, fields, "Momo") == line


@given(st.text())
def test_no_text_controls_the_terminal(text: str) -> None:
    line = transcript_line("utterance", {"text": text}, "Momo")
    assert line is not None
    assert "\n" not in line
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", line)


def screen(written: str) -> list[str]:
    """What a terminal shows, for the few controls that are used here."""
    lines = [""]
    for piece in re.split(r"(\r\x1b\[2K|\r|\n)", written):
        if piece == "\n":
            lines.append("")
        elif piece == "\r\x1b[2K":
            lines[-1] = ""
        elif piece != "\r":
            lines[-1] += piece
    return lines


def test_the_log_stands_above_the_line_of_the_body() -> None:
    out = io.StringIO()
    terminal = Terminal(out)
    terminal.write("INFO first\n")
    terminal.draw("head ──●──")
    terminal.write("INFO Momo listens.\n")
    terminal.draw("head ───●─")
    terminal.write("you: hello\n")
    assert screen(out.getvalue()) == ["INFO first", "INFO Momo listens.", "you: hello", "head ───●─"]
    terminal.end_line()
    terminal.write("bye\n")
    assert screen(out.getvalue())[-2:] == ["bye", ""]

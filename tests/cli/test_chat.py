"""`companion chat`: the character in the terminal, for people and for programs."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from companion.cli.chat import chat_command, read_lines
from companion.cli.chat_screen import AnswerParts, Removed, Terminal
from companion.cli.parse import parse_deltas as parse
from companion.events import Cue
from tests.support.paths import CONFIGS

DEVICES = CONFIGS / "devices"
SECRET = "sk-very-secret-key-123"

Chatted = Callable[..., Any]


@pytest.fixture
def chatted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chatted:
    """`chatted(lines, *options)`: what the command prints for a script of these lines, on the emulator."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("DASHSCOPE_API_KEY", SECRET)

    def run(lines: str, *options: str) -> str:
        script = tmp_path / "turns.txt"
        script.write_text(lines)
        fast = ["--set", "character.emulator=always", "--set", "character.requests_per_second=1000"]
        fast += ["--set", "character.answer_within_s=20"]
        done = CliRunner().invoke(chat_command, ["--script", str(script), *fast, *options])
        assert done.exception is None, done.exception
        assert SECRET not in done.output
        return done.stdout

    return run


def test_a_script_gives_one_json_object_a_turn(chatted: Chatted) -> None:
    asked = "# for its reader\nhello\n\n/n 3\ntell me a story\n/n 1\n/again\nsay that another way\n"
    lines = f"{asked}/cost\ngoodbye\nnever said\n"
    printed = [json.loads(line) for line in chatted(lines, "--json", "--seed", "7").splitlines()]
    assert [one.get("said", one.get("command")) for one in printed] == [
        *("hello", "tell me a story", "/again", "say that another way", "/cost", "goodbye"),
    ]
    hello, story, again, other, cost, goodbye = printed
    assert hello["spoken"]
    assert hello["speaker"] == "Momo"
    assert {"emotion", "gesture", "intensity", "at"} == set(hello["cues"][0])
    assert hello["removed"]
    assert hello["tokens"]["prompt"] > 100
    assert hello["cost"] > 0
    assert hello["ms"]["first_text"] <= hello["ms"]["whole"]
    assert hello["error"] is None
    assert len(story["candidates"]) == 3
    assert again["spoken"]
    assert other["spoken"]
    assert cost["today"] == pytest.approx(sum(one["cost"] for one in (hello, story, again, other)))
    assert goodbye["spoken"]
    assert goodbye["tokens"] is None


def test_the_same_seed_gives_the_same_answers(chatted: Chatted, tmp_path: Path) -> None:
    options = ("--json", "--person", "guest", "--set", "context.providers=[]")
    spoken = [
        [json.loads(line)["spoken"] for line in chatted("hello\nsing\n", *options, "--seed", seed).splitlines()]
        for seed in ("5", "5")
    ]
    assert spoken[0] == spoken[1]
    assert list(tmp_path.glob("**/companion.db"))


def test_speaker_and_context_can_be_changed(chatted: Chatted) -> None:
    lines = (
        "my name is ana\nmy dog is called rex\n/memory\n/as Ben\n/memory\n/guest\nhello\n/memory\n/as Ana\n/memory\n"
    )
    printed = [json.loads(line) for line in chatted(lines, "--json").splitlines()]
    memories = [(one["person"], one["messages"]) for one in printed if one.get("command") == "/memory"]
    assert "rex" in " ".join(next(one["facts"] for one in printed if "facts" in one)).casefold()
    assert memories == [("Ana", 4), ("Ben", 0), ("guest", 2), ("Ana", 4)]


def test_an_error_is_shown_with_the_line_said_instead(chatted: Chatted) -> None:
    base = ("--set", "character.emulator=never", "--set", "character.base_url=http://127.0.0.1:9/v1")
    (line,) = chatted("hello\n", "--json", *base).splitlines()
    told = json.loads(line)
    assert told["spoken"] == ""
    assert told["error"]["line"] == "offline"
    assert "cannot be reached" in told["error"]["sentence"]
    assert told["error"]["says"]
    assert "[offline]" in chatted("hello\n", *base)


def test_for_eyes_there_is_text_and_no_steering_where_it_is_no_terminal(chatted: Chatted) -> None:
    printed = chatted("hello\n/n 5\n/as\n/foo\n/help\n", "--set", "character.ban_brackets=off")
    assert printed.startswith("Momo: Hello, my friend! I am Momo.")
    assert "⟦" in printed
    assert "There is no /foo" in printed
    assert "/context TEXT" in printed
    assert "\x1b" not in printed


def test_a_group_answers_one_after_the_other(chatted: Chatted) -> None:
    printed = chatted("hello\nkiki what do you say\n", "--json", "--device", str(DEVICES / "duo.toml"))
    speakers = [json.loads(line)["speaker"] for line in printed.splitlines()]
    assert speakers == ["Momo", "Kiki", "Kiki"]


def test_a_script_s_lines_stand_before_their_answers_and_those_after_the_end_are_counted(tmp_path: Path) -> None:
    script = tmp_path / "turns.txt"
    script.write_text("hello\n\n# aside\ngoodbye\ntoo late\n\nfar too late\n")
    asked = ["--script", str(script), "--set", "character.emulator=always"]
    done = CliRunner().invoke(chat_command, asked)
    shown = done.stdout.splitlines()
    assert [line for line in shown if line.startswith("you> ")] == ["you> hello", "you> goodbye"]
    assert shown[shown.index("you> hello") + 1].startswith("Momo: ")
    assert "before the last 2 of the script's lines" in done.stderr
    as_json = CliRunner().invoke(chat_command, [*asked, "--json"])
    assert [json.loads(line)["said"] for line in as_json.stdout.splitlines()] == ["hello", "goodbye"]
    assert "before the last 2 of the script's lines" in as_json.stderr


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    script = tmp_path / "turns.txt"
    script.write_bytes(b"\xff\xfe\x00hello")
    done = CliRunner().invoke(chat_command, ["--script", str(script), "--set", "character.emulator=always"])
    assert "not UTF-8" in str(done.exception)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_what_is_not_spoken_is_dimmed_and_a_models_text_cannot_steer_it() -> None:
    out = Tty()
    screen = Terminal(out)
    screen.begin_answer("Momo")
    for part in (Removed("(waves\x1b[31m)"), Cue("happy", None, 0.8, 0, "direction"), "Hello\x07 you."):
        screen.part(part)
    assert out.getvalue() == "Momo: \x1b[2m(waves[31m)\x1b[0m \x1b[2m[happy 0.8]\x1b[0m Hello you."


# What was taken out


def parted(text: str) -> tuple[str, list[str]]:
    reader = AnswerParts("Momo")
    parts = [*reader.feed(text), *reader.close()]
    spoken = "".join(part for part in parts if isinstance(part, str))
    return " ".join(spoken.split()), [part.text for part in parts if isinstance(part, Removed)]


@pytest.mark.parametrize(
    ("text", "spoken", "removed"),
    [
        ("(he waves) hello", "hello", ["(he waves)"]),
        ("Hello (nods) you. *smiles* Well 😊", "Hello you. Well", ["(nods)", "*smiles*", "😊"]),
        ("（点头）你好（笑）。", "你好。", ["（点头）", "（笑）"]),
        ("Momo: Hello.", "Hello.", ["Momo:"]),
        ("Just text, no more.", "Just text, no more.", []),
    ],
)
def test_removed_text_is_shown(text: str, spoken: str, removed: list[str]) -> None:
    assert parted(text) == (spoken, removed)


words = st.sampled_from(["hello", "(waves)", "you", "*nods*", "😊", ".", "[sighs]", "well,", "（笑）", "\n", "Momo:"])


@given(st.lists(words, max_size=12))
def test_what_is_spoken_does_not_depend_on_being_looked_at(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert parted(text)[0] == " ".join(parse([text], "Momo")["speech"].split())


# Lines as they are typed


async def test_lines_come_as_they_are_typed_however_they_are_cut() -> None:
    reading, writing = os.pipe()
    lines = read_lines(reading)
    os.write(writing, b"hel")
    first = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0)
    os.write(writing, "lo\n你".encode())
    assert await first == "hello"
    os.write(writing, "好\nlast".encode())
    os.close(writing)
    assert [line async for line in lines] == ["你好", "last"]
    os.close(reading)

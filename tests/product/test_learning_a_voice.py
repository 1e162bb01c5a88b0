"""Somebody says "learn my voice" to the whole product, and calls it ten times; files in place of the sound card."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.app import converse_with_files
from companion.config.unit import load_unit
from companion.config.word_file import read, write
from companion.ears.wake_custom.learnt import learnt_file
from companion.languages.language import language
from companion.voice_enrolment import TIMES
from tests.support.paths import ROOT
from tests.support.small_word import OWNER, PHRASE, small_word
from tests.support.synthetic_user import RATE, say
from tests.support.voices import needs_espeak

pytestmark = [needs_espeak, pytest.mark.time_limit(120)]

DEMO = ROOT / "configs" / "devices" / "demo.toml"
ASKS = "tell me a story"
"""In place of "learn my voice", which is not in the vocabulary of the tests' transcriber."""


def room_with(folder: Path, *pieces: tuple[float, bytes]) -> Path:
    """A WAV with these sounds, each after so many seconds of a quiet room."""
    pcm = b"".join(bytes(round(after_s * RATE) * 2) + sound for after_s, sound in pieces)
    room = np.random.default_rng(1).normal(0, 8, len(pcm) // 2)
    path = folder / "heard.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.clip(np.frombuffer(pcm, "<i2") + room, -32_768, 32_767).astype("<i2").tobytes())
    return path


async def converse(folder: Path, word: Path, heard: Path) -> list[dict[str, Any]]:
    """The events of the conversation."""
    device, persona = load_unit(DEMO, (f"ears.wake.word={word}", f'words.en.learn_voice=["{ASKS}"]'))
    events = folder / "events.jsonl"
    await converse_with_files(device, persona, heard, folder / "said.wav", events)
    return [json.loads(line) for line in events.read_text("utf-8").splitlines()]


async def test_it_learns_and_hears_with_what_it_has_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    made = tmp_path / "hey_marvin.ww"
    write(made, small_word())
    calls = [(4.0, say(PHRASE, OWNER, 145 + 4 * at)) for at in range(TIMES)]
    began = [(2.0, say(PHRASE, "en-us", 160)), (1.3, say(ASKS)), (10.0, b"")]
    heard = room_with(tmp_path, *began, *calls, (30.0, say(PHRASE, OWNER, 150)), (3.0, b""))
    events = await converse(tmp_path, made, heard)
    said = [one["text"] for one in events if one["kind"] == "heard"]
    lines = language("en").enrolment
    assert lines is not None
    assert said[:2] == [lines.begin.format(phrase=PHRASE), lines.first]
    assert said[1 + TIMES :][:2] == [lines.learning, lines.done], (
        "nothing was asked for twice, nor put to the character"
    )
    assert [one for one in events if one["kind"] == "error"] == []
    kept = learnt_file(made)
    assert kept is not None
    assert read(kept).card.enrolled == TIMES
    done = next(one["t"] for one in events if one["kind"] == "heard" and one["text"] == lines.done)
    wakes = [one["t"] for one in events if one["kind"] == "wake"]
    assert len(wakes) == 2, "calls in the lesson wake nobody"
    assert wakes[1] > done, "the engine that was built anew hears its owner"


async def test_stop_ends_it_and_nothing_is_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    made = tmp_path / "hey_marvin.ww"
    write(made, small_word())
    began = [(2.0, say(PHRASE, "en-us", 160)), (1.3, say(ASKS)), (10.0, b"")]
    heard = room_with(tmp_path, *began, (4.0, say(PHRASE, OWNER, 150)), (4.0, say("stop")), (4.0, b""))
    events = await converse(tmp_path, made, heard)
    assert [one["state"] for one in events if one["kind"] == "state"][-2:] == ["listening", "idle"]
    assert learnt_file(made) is None

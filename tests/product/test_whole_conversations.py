"""The whole product with real engines, files in place of the sound card, and the stand-in for the service."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections import Counter
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.app import converse_with_files
from companion.config.unit import load_unit
from companion.emulator import EmulatorServer
from tests.support.paths import ROOT
from tests.support.synthetic_user import conversation_wav, flac_as_wav

PROJECT = ROOT
DEMO = PROJECT / "configs" / "devices" / "demo.toml"
SHARED = PROJECT.parent / "shared" / "audio"


async def converse(folder: Path, heard: Path, *settings: str) -> list[dict[str, Any]]:
    """The events of a conversation; its sound is `reply.wav` in `folder`."""
    device, persona = load_unit(DEMO, settings)
    events = folder / "events.jsonl"
    await converse_with_files(device, persona, heard, folder / "reply.wav", events)
    return [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["kind"] == kind]


def loud_at(path: Path, start: float, end: float) -> bool:
    with wave.open(str(path), "rb") as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return bool(np.abs(sound[round(start * rate) : round(end * rate)].astype(int)).max(initial=0) > 1000)


async def test_three_turns_are_heard_answered_and_acted(tmp_path: Path) -> None:
    turns = ("hello momo how are you today", "i am sad please tell me a story", "thank you momo dance with me")
    heard = conversation_wav(tmp_path / "user.wav", "okay nabu", *turns)
    events = await converse(tmp_path, heard)
    assert [event["text"] for event in of(events, "utterance")] == list(turns)
    assert len(of(events, "wake")) == 1
    assert [event["reason"] for event in of(events, "heard")] == ["finished"] * 3
    assert all(event["text"] for event in of(events, "heard"))
    assert of(events, "cue")
    assert of(events, "error") == []
    for event in of(events, "utterance"):
        assert loud_at(tmp_path / "reply.wav", event["t"], event["t"] + 1.0)
    assert not loud_at(tmp_path / "reply.wav", 0, of(events, "utterance")[0]["t"] - 0.05)
    moved = {json.dumps(event["positions"]) for event in of(events, "body")}
    assert len(moved) > 50


async def test_the_mouth_moves_with_the_voice_and_rests_without(tmp_path: Path) -> None:
    heard = conversation_wav(tmp_path / "user.wav", "okay nabu", "tell me a story")
    events = await converse(tmp_path, heard)
    [speaking], [said] = of(events, "speaking"), of(events, "heard")
    mouths = [(event["t"], event["positions"]["mouth"]) for event in of(events, "body")]
    assert max(opening for t, opening in mouths if speaking["t"] < t < said["t"]) > 0.5
    assert all(opening < 0.05 for t, opening in mouths if t < speaking["t"] or t > said["t"] + 0.3)


async def test_the_same_file_gives_the_same_conversation(tmp_path: Path) -> None:
    heard = conversation_wav(tmp_path / "user.wav", "okay nabu", "what is your name", "sing a song please")
    kinds = ("state", "wake", "utterance", "partial", "heard")
    runs = [
        [e for e in await converse(tmp_path, heard, "voice.engine=espeak", "memory.mode=off") if e["kind"] in kinds]
        for _ in "ab"
    ]
    assert runs[0] == runs[1]


async def test_words_right_after_the_wake_word_are_not_lost(tmp_path: Path) -> None:
    heard = conversation_wav(tmp_path / "user.wav", "okay nabu", "what is your name", pause_s=0.1)
    assert [event["text"] for event in of(await converse(tmp_path, heard), "utterance")] == ["what is your name"]


async def test_without_the_wake_word_nothing_is_answered(tmp_path: Path) -> None:
    heard = conversation_wav(tmp_path / "user.wav", "", "what is your name", "tell me a story")
    events = await converse(tmp_path, heard)
    assert Counter(event["kind"] for event in events).keys() <= {"state", "body"}
    assert not loud_at(tmp_path / "reply.wav", 0, 999)


async def test_the_wake_word_interrupts_and_only_what_was_heard_is_kept(tmp_path: Path) -> None:
    heard = conversation_wav(tmp_path / "user.wav", "okay nabu", "tell me a story", room_s=2.2, then="okay nabu")
    events = await converse(tmp_path, heard)
    first = of(events, "heard")[0]
    assert first["reason"] == "interrupted"
    said = " ".join(event["text"] for event in of(events, "sentence"))
    assert said.startswith(first["text"])
    assert len(first["text"]) < len(said)
    woke = of(events, "wake")[1]["t"]
    assert not loud_at(tmp_path / "reply.wav", woke + 0.15, woke + 2.0)


async def test_goodbye_ends_the_talk(tmp_path: Path) -> None:
    heard = conversation_wav(tmp_path / "user.wav", "okay nabu", "goodbye momo")
    events = await converse(tmp_path, heard)
    assert [event["text"] for event in of(events, "heard")] == ["Bye bye! Sleep well, my friend."]
    assert of(events, "state")[-1]["state"] == "idle"


@pytest.mark.parametrize("fault", ["reset", "http500", "cut_short"])
async def test_a_broken_service_is_excused_and_the_next_turn_works(tmp_path: Path, fault: str) -> None:
    heard = conversation_wav(tmp_path / "user.wav", "okay nabu", "tell me a story", "how are you")
    # The first question meets the fault twice: once, and again when it is tried again.
    server = EmulatorServer(faults=[fault, fault])
    try:
        events = await converse(
            tmp_path, heard, "character.emulator=never", f"character.base_url={server.start()}", *key(tmp_path)
        )
    finally:
        server.stop()
    assert [event["code"] for event in of(events, "error")][:1] == ["character"]
    assert of(events, "heard")[-1]["reason"] == "finished"
    spoken = " ".join(event["text"] for event in of(events, "sentence"))
    assert "Traceback" not in spoken
    assert "500" not in spoken


async def test_a_stalling_service_is_excused_within_three_seconds(tmp_path: Path) -> None:
    heard = conversation_wav(tmp_path / "user.wav", "okay nabu", "tell me a story")
    server = EmulatorServer(faults=repeat("stall"))
    try:
        events = await converse(
            tmp_path, heard, "character.emulator=never", f"character.base_url={server.start()}", *key(tmp_path)
        )
    finally:
        server.stop()
    assert "honey" in " ".join(event["text"] for event in of(events, "sentence"))
    assert [event["reason"] for event in of(events, "heard")] == ["offline", "finished"]


def key(folder: Path) -> tuple[str, str]:
    file = folder / "key"
    file.touch(0o600)
    file.write_text("sk-test", encoding="ascii")
    return ("character.emulator=never", f"character.key_file={file}")


@pytest.mark.parametrize("word", ["okay_nabu", "hey_jarvis"])
async def test_real_people_wake_it(tmp_path: Path, word: str) -> None:
    recording = SHARED / "wake" / f"{word}.flac"
    if not recording.exists():
        pytest.skip("../shared/audio is not here")
    events = await converse(tmp_path, flac_as_wav(recording, tmp_path / "user.wav"), f"ears.wake.word={word}")
    assert [event["word"] for event in of(events, "wake")] == [word]


def test_the_key_shows_nowhere(tmp_path: Path) -> None:
    heard = conversation_wav(tmp_path / "user.wav", "okay nabu", "how are you")
    server = EmulatorServer()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "companion", "-v", "converse", "--in", str(heard), "--out", str(tmp_path / "r.wav"),
             "--events", str(tmp_path / "e.jsonl"), "--device", str(DEMO), "--set", "character.emulator=never",
             "--set", f"character.base_url={server.start()}"],
            capture_output=True, text=True, timeout=60, cwd=PROJECT,
            env={"DASHSCOPE_API_KEY": "sk-very-secret", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        )  # fmt: skip
    finally:
        server.stop()
    assert done.returncode == 0, done.stderr
    events = (tmp_path / "e.jsonl").read_text(encoding="utf-8")
    assert '"finished"' in events
    assert "sk-very-secret" not in done.stderr + done.stdout + events
    assert "how are you" not in done.stderr


def test_no_library_marks_this_machine_or_reports_to_its_maker(tmp_path: Path) -> None:
    """onnxruntime keeps an identifier and a queue of reports under the home folder unless it is told not to."""
    home, sound = tmp_path / "home", tmp_path / "x.wav"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "companion", "say", "hello", "--out", str(sound), "--device", str(DEMO)],
        capture_output=True, timeout=60, cwd=PROJECT, env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0
    assert sound.stat().st_size > 1000
    assert list(home.rglob("*")) == []

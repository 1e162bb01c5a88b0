"""The whole unit with two characters, each with a wake word of its own, and a word that stops an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from companion.app import converse_with_files
from companion.config.unit import load_unit
from tests.support.paths import CONFIGS, DATA
from tests.support.synthetic_user import room, say
from tests.support.wav_files import write_wav

WORDS = """words = [
    { word = "okay_nabu", character = "Momo" },
    { word = "hey_jarvis", character = "Kiki" },
    { word = "alexa", role = "stop" },
]"""


def device_file(folder: Path, wake: str = WORDS) -> Path:
    duo = (CONFIGS / "devices" / "duo.toml").read_text("utf-8")
    channels = duo[duo.index("[body.channels]") :]
    file = folder / "unit.toml"
    file.write_text(
        f'persona = "{CONFIGS / "personas" / "duo.toml"}"\n[ears.wake]\n{wake}\n'
        f'[ears.transcriber]\nmodel = "{DATA / "vosk-tiny"}"\n[voice]\nengine = "espeak"\n'
        f'[character]\nemulator = "always"\n[memory]\nmode = "off"\n{channels}',
        encoding="utf-8",
    )
    return file


async def converse(folder: Path, *parts: bytes | float, wake: str = WORDS) -> list[dict[str, Any]]:
    device, persona = load_unit(device_file(folder, wake))
    write_wav(folder / "user.wav", room(*parts))
    events = folder / "events.jsonl"
    await converse_with_files(device, persona, folder / "user.wav", folder / "reply.wav", events)
    return [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]


def of(events: list[dict[str, Any]], kind: str, field: str) -> list[Any]:
    return [event[field] for event in events if event["kind"] == kind]


def who_shines(events: list[dict[str, Any]], after: float, until: float) -> str:
    """The light that was the brighter one meanwhile."""
    shown = [event["lights"] for event in events if event["kind"] == "body" and after < event["t"] < until]
    assert shown
    return max(("belly", "crest"), key=lambda light: sum(sum(lights[light]) for lights in shown))


async def test_each_word_wakes_its_own_character(tmp_path: Path) -> None:
    """The lights tell who speaks: Momo has the belly, Kiki the crest."""
    events = await converse(
        tmp_path,
        *(1.0, say("hey jarvis", "en-us+f4"), 0.4, say("how are you", "en-us+m3"), 10.0),
        *(say("okay nabu", "en-us+m3"), 0.4, say("how are you", "en-us+m3"), 10.0),
    )
    assert of(events, "wake", "word") == ["hey_jarvis", "okay_nabu"]
    assert of(events, "utterance", "text") == ["how are you"] * 2
    assert of(events, "heard", "reason") == ["finished"] * 2, "one answers, and not both"
    (kiki, momo), (kiki_ended, momo_ended) = of(events, "speaking", "t"), of(events, "heard", "t")
    assert who_shines(events, kiki, kiki_ended) == "crest"
    assert who_shines(events, momo, momo_ended) == "belly"


async def test_the_stop_word_ends_an_answer_and_wakes_nobody(tmp_path: Path) -> None:
    events = await converse(
        tmp_path,
        *(1.0, say("alexa", "en-us+m3"), 2.0),
        *(say("okay nabu", "en-us+m3"), 0.4, say("tell me a story", "en-us+m3"), 2.2, say("alexa", "en-us+m3"), 6.0),
    )
    assert of(events, "wake", "word") == ["okay_nabu"]
    assert of(events, "stop", "word") == ["alexa"]
    assert of(events, "heard", "reason") == ["interrupted"]
    assert of(events, "state", "state")[-1] == "idle"


async def test_an_engine_that_dies_is_built_anew_and_the_word_is_heard(tmp_path: Path) -> None:
    wake = 'engine = "tests.support.failing_wake_word:build"\nword = "okay_nabu"'
    events = await converse(tmp_path, 3.0, say("okay nabu", "en-us+m3"), 8.0, wake=wake)
    [sentence] = of(events, "error", "sentence")
    assert (
        "The wake word engine tests.support.failing_wake_word:build failed ([Errno 5] Input/output error)" in sentence
    )
    assert of(events, "wake", "word") == ["okay_nabu"]

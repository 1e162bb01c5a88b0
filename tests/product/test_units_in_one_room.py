"""A whole unit with real engines, and a neighbour that heard its wake word better, or less well."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from companion.app import Sound, assembled
from companion.config.unit import load_unit
from companion.ears.neighbour_link import NeighbourLink
from companion.ears.neighbours import Claims
from companion.plugins import build_synthesizer
from companion.sound.card import MonotonicClock
from companion.sound.file import FileSoundCard
from tests.support.paths import CONFIGS
from tests.support.room import SECRET
from tests.support.synthetic_user import conversation_wav

DEMO = CONFIGS / "devices" / "demo.toml"


def with_neighbour(link: NeighbourLink, level: int) -> list[bytes]:
    """Another unit that hears what this one hears, so loud. Returns what is sent to it, as it comes."""
    other, sent = Claims(SECRET, b"neighbor"), []

    def arrives(datagram: bytes) -> None:
        sent.append(datagram)
        claim = other.claim("okay_nabu", level, 200, in_talk=False, now=0, wall=time.time())
        link.take(claim, "10.0.0.2")

    link.send = arrives  # type: ignore[method-assign]
    return sent


async def talk(folder: Path, level: int | None, monkeypatch: pytest.MonkeyPatch) -> tuple[list[dict[str, Any]], int]:
    """The events of one wake word and a sentence, and how many datagrams were sent; None: without a secret."""
    monkeypatch.setenv("STATE_DIRECTORY", str(folder / "state"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv("COMPANION_NEIGHBOURS_KEY", raising=False)
    if level is not None:
        monkeypatch.setenv("COMPANION_NEIGHBOURS_KEY", SECRET.decode())
    heard = conversation_wav(folder / "user.wav", "okay nabu", "hello momo how are you today")
    device, persona = load_unit(DEMO, ("ears.wake.neighbours=true", "character.emulator=always"))
    voice = build_synthesizer(device, persona)
    card = FileSoundCard(heard, None, voice.rate, is_replying=lambda: unit.conversation.is_preparing)
    sound = Sound(card.microphone, card.speaker, MonotonicClock(), lambda _: card.changed(), live=True)
    events = folder / "events.jsonl"
    sent: list[bytes] = []
    async with assembled(device, persona, sound, voice, events) as unit:
        if level is None:
            assert unit.link is None
            assert any("head -c 24 /dev/urandom | base64" in one for one in unit.missing)
        else:
            assert unit.link is not None
            sent = with_neighbour(unit.link, level)
        await unit.conversation.run()
    return [json.loads(line) for line in events.read_text("utf-8").splitlines()], len(sent)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [one["kind"] for one in events if one["kind"] in ("wake", "wake_yielded", "utterance", "heard")]


async def test_whose_neighbour_heard_it_better_stays_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events, sent = await talk(tmp_path, 0, monkeypatch)
    assert kinds(events) == ["wake_yielded"]
    [yielded] = [one for one in events if one["kind"] == "wake_yielded"]
    assert (yielded["word"], yielded["why"]) == ("okay_nabu", "heard_better")
    assert sent == 1


async def test_who_heard_it_better_answers_with_every_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events, _ = await talk(tmp_path, -1000, monkeypatch)
    assert kinds(events)[:3] == ["wake", "utterance", "heard"]
    [first, *_] = [one for one in events if one["kind"] == "utterance"]
    assert first["text"] == "hello momo how are you today"


async def test_without_a_secret_it_talks_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events, _ = await talk(tmp_path, None, monkeypatch)
    assert kinds(events)[:3] == ["wake", "utterance", "heard"]

"""The whole product in a room in which the microphone hears the loudspeaker: it does not hear itself, but a person."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import pytest

from companion.app import Sound, assembled
from companion.config.unit import load_unit
from companion.events import State
from companion.plugins import build_synthesizer
from companion.sound.file import FileSoundCard
from companion.sound.played import PlayedSound
from tests.support.echoing import EchoingMicrophone
from tests.support.paths import ROOT
from tests.support.synthetic_user import RATE, room, say

DEMO = ROOT / "configs" / "devices" / "demo.toml"


async def converse(folder: Path, *parts: bytes | float, gain: float, delay_s: float, echo: str) -> list[dict[str, Any]]:
    """The events of a conversation with whoever says this."""
    heard, events = folder / "user.wav", folder / "events.jsonl"
    with wave.open(str(heard), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(room(*parts))
    device, persona = load_unit(DEMO, (f"ears.echo={echo}",))
    voice, played = build_synthesizer(device, persona), PlayedSound()
    card = FileSoundCard(
        *(heard, None, voice.rate),
        is_replying=lambda: conversation.is_preparing,
        is_listening=lambda: conversation.state is State.LISTENING,
        played=played,
    )
    microphone = EchoingMicrophone(card.microphone, played, gain, delay_s)
    sound = Sound(microphone, card.speaker, card.clock, lambda _: card.changed(), live=False, played=played)
    async with assembled(device, persona, sound, voice, events) as unit:
        conversation = unit.conversation
        await conversation.run()
    return [json.loads(line) for line in events.read_text("utf-8").splitlines()]


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["kind"] == kind]


ASKED = (1.0, say("okay nabu", "en-us+m3"), 0.4, say("please tell me a story", "en-us+m3"))


@pytest.mark.parametrize(("gain", "delay_s"), [(1.0, 0.3), (0.3, 0.02)])
async def test_it_does_not_answer_its_own_voice(tmp_path: Path, gain: float, delay_s: float) -> None:
    events = await converse(tmp_path, *ASKED, 14.0, gain=gain, delay_s=delay_s, echo="guard")
    assert len(of(events, "speech_started")) == 1
    assert [event["reason"] for event in of(events, "heard")] == ["finished"]


async def test_without_a_guard_it_hears_itself(tmp_path: Path) -> None:
    """So the tests above show something."""
    events = await converse(tmp_path, *ASKED, 14.0, gain=1.0, delay_s=0.3, echo="cancelled")
    assert len(of(events, "speech_started")) > 1


async def test_a_person_is_heard_over_its_voice(tmp_path: Path) -> None:
    over = say("no thank you momo dance with me", "en-us+m3")
    events = await converse(tmp_path, *ASKED, 2.6, over, 12.0, gain=0.3, delay_s=0.12, echo="guard")
    assert next(event["reason"] for event in of(events, "heard")) != "finished"
    assert "momo" in of(events, "utterance")[1]["text"]

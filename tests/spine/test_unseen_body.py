"""A body that nobody sees is not animated; one whose frames stand in the events is."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import pytest

from companion.app import Sound, assembled
from companion.body.limits import neutral_frame
from companion.body.simulated import SimulatedBody
from companion.config.unit import load_unit
from companion.plugins import build_synthesizer
from companion.sound.file import FileSoundCard
from tests.support.doubles import LoopClock
from tests.support.paths import ROOT

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("events", [False, True])
async def test_frames_that_nobody_sees_are_not_computed(
    events: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    device, persona = load_unit(ROOT / "configs" / "devices" / "demo.toml", ('body.outputs=["simulated"]',))
    voice = build_synthesizer(device, persona)
    silence = tmp_path / "silence.wav"
    with wave.open(str(silence), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(3200))
    card = FileSoundCard(silence, None, voice.rate)
    sound = Sound(card.microphone, card.speaker, LoopClock(), lambda _: None, live=True)
    async with assembled(device, persona, sound, voice, tmp_path / "events.jsonl" if events else None) as unit:
        [body] = unit.bodies
        assert isinstance(body, SimulatedBody)
        unit.animator.show_state("speaking")
        await asyncio.sleep(1)
        assert (body.frame != neutral_frame(device.body.channels)) is events

"""The echo canceller: what it leaves of the loudspeaker and of a person, and a device without its library."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator

import numpy as np
import pytest

from companion.ears import echo_canceller
from companion.ears.echo import past_own_voice
from companion.ears.echo_canceller import CancellingMicrophone
from companion.ears.endpointing import Framer
from companion.errors import EngineUnavailable
from companion.events import AudioFrame
from companion.sound.played import PlayedSound
from tests.support.echoing import STORY, Sound, come_back, frames_of, pcm
from tests.support.synthetic_user import RATE

IS_THERE = importlib.util.find_spec("livekit") is not None
needs_it = pytest.mark.skipif(not IS_THERE, reason="the package livekit is not installed")


class Room:
    """A microphone that hears `heard` while `said` is played."""

    def __init__(self, heard: Sound, said: Sound) -> None:
        self.played = PlayedSound()
        self._heard, self._said = heard, said

    async def frames(self) -> AsyncIterator[AudioFrame]:
        for frame in frames_of(self._heard):
            # Known a moment before it is heard, as with a card.
            at = frame.start + (640 if frame.start else 0)
            if piece := pcm(self._said[at : frame.end + 640]):
                self.played.put(piece, RATE, at / RATE)
            yield frame

    def time_of(self, position: int) -> float:
        return position / RATE

    async def close(self) -> None:
        pass


async def after(room: Room) -> Sound:
    """What comes out of the canceller; its positions have no gap."""
    frames = [frame async for frame in CancellingMicrophone(room, room.played).frames()]
    assert [frame.start for frame in frames[1:]] == [frame.end for frame in frames[:-1]]
    return np.frombuffer(b"".join(frame.pcm for frame in frames), "<i2").astype(np.float32)


def loud(sound: Sound) -> float:
    return float(np.sqrt(np.square(sound).mean()))


@needs_it
async def test_the_echo_is_gone_after_its_first_second_and_a_person_is_not() -> None:
    echo = come_back(STORY, 0.1, 0.3)
    person = np.zeros_like(echo)
    person[8 * RATE : 9 * RATE] = 1000 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    left = await after(Room(echo, STORY))
    assert loud(left[2 * RATE :]) < loud(echo[2 * RATE :]) / 10
    both = await after(Room(echo + person, STORY))
    assert loud(both[8 * RATE : 9 * RATE]) > 0.5 * loud(person[8 * RATE : 9 * RATE])


@needs_it
async def test_what_a_canceller_leaves_at_its_beginning_is_nobody() -> None:
    room = Room(come_back(STORY, 0.1, 1.0), STORY)
    microphone, is_person = past_own_voice("apm", room, room.played, [])
    framer = Framer(512)
    found = [is_person(frame) async for sound in microphone.frames() for frame in framer.frames(sound)]
    assert sum(found[: 5 * RATE // 512]) < 3
    # Speech lasts 12 s of these: then it relies on the canceller.
    assert all(found[-RATE // 512 :])


@needs_it
async def test_while_nothing_is_played_sound_is_left_as_it_is() -> None:
    heard = come_back(STORY, 0.0, 1.0)
    left = await after(Room(heard, np.zeros(0, np.float32)))
    assert np.array_equal(left, heard[: len(left)].astype("<i2"))
    assert len(heard) - len(left) < 1024


def test_a_device_without_the_library_says_so_and_guards_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EngineUnavailable, match="needs the package livekit"):
        echo_canceller.check()
    missing: list[str] = []
    room = Room(STORY, STORY)
    microphone, is_person = past_own_voice("apm", room, room.played, missing)
    assert microphone is room
    assert len(missing) == 1
    room.played.put(pcm(STORY[:RATE]), RATE, 0.0)
    assert not is_person(AudioFrame(pcm(STORY[:512]), 0))


def test_a_card_that_cancels_its_echo_is_left_alone() -> None:
    room = Room(STORY, STORY)
    microphone, is_person = past_own_voice("cancelled", room, room.played, [])
    assert microphone is room
    room.played.put(pcm(STORY[:RATE]), RATE, 0.0)
    assert is_person(AudioFrame(pcm(STORY[:512]), 0))

"""The noise of the room: how soon it is known, what it follows, and that it neither holds nor cuts off an utterance."""

from __future__ import annotations

import random
from array import array

import pytest

from companion.config.device import EndpointSettings
from companion.ears.endpointing import Endpointer, SpeechEnded
from companion.ears.noise_floor import NoiseFloor
from companion.events import AudioFrame, SpeechStarted
from tests.support.ears import FRAME, SILENCE_FRAMES, without_pauses


def heard(*levels: tuple[float, int]) -> NoiseFloor:
    """After so many frames of each energy."""
    floor = NoiseFloor()
    for energy, frames in levels:
        for _ in range(frames):
            floor.hear(energy)
    return floor


def test_it_is_not_known_before_a_second() -> None:
    assert heard((100.0, 31)).energy == 0
    assert heard((100.0, 32)).energy == pytest.approx(100)


def test_a_voice_with_a_breath_in_it_does_not_raise_it() -> None:
    sentence = [(900.0, 40), (100.0, 5)] * 20
    assert heard((100.0, 64), *sentence).energy == pytest.approx(100)


def test_it_falls_at_once_and_rises_within_four_seconds() -> None:
    assert heard((900.0, 200), (100.0, 5)).energy == pytest.approx(100)
    assert heard((100.0, 200), (900.0, 100)).energy == pytest.approx(100)
    assert heard((100.0, 200), (900.0, 150)).energy == pytest.approx(900)


def noise(level: float, frames: int, seed: int = 1) -> list[bytes]:
    """White noise with this effective value."""
    chance = random.Random(seed)
    return [
        array("h", [max(-32768, min(32767, round(chance.gauss(0, level)))) for _ in range(FRAME)]).tobytes()
        for _ in range(frames)
    ]


def decisions(room: float, voice: float, fooled_frames: int) -> list[object]:
    """3 s of a room, 1.3 s of a voice in it, the room again: at first the detector still takes it for the voice."""
    loud = (room**2 + voice**2) ** 0.5
    frames = [(pcm, 0.1) for pcm in noise(room, 94)]
    frames += [(pcm, 0.9) for pcm in noise(loud, 40, seed=2)]
    frames += [(pcm, 0.6) for pcm in noise(room, fooled_frames, seed=3)]
    frames += [(pcm, 0.1) for pcm in noise(room, 60, seed=4)]
    endpointer = Endpointer(EndpointSettings())
    endpointer.begin(0, float("inf"))
    fed = [endpointer.feed(AudioFrame(pcm, at * FRAME), one) for at, (pcm, one) in enumerate(frames)]
    return without_pauses(fed)


@pytest.mark.parametrize("room", [30, 300, 1000])
@pytest.mark.parametrize("snr_db", [5, 10, 20])
def test_the_room_does_not_hold_an_utterance_open(room: float, snr_db: float) -> None:
    started, ended = decisions(room, room * 10 ** (snr_db / 20), fooled_frames=20)
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert started.at == 94 * FRAME
    assert ended.end == 134 * FRAME
    assert ended.decided == (134 + SILENCE_FRAMES) * FRAME


def test_a_room_that_was_heard_before_the_first_frame_counts() -> None:
    endpointer = Endpointer(EndpointSettings())
    for at, pcm in enumerate(noise(300, 40)):
        endpointer.hear_room(AudioFrame(pcm, at * FRAME))
    endpointer.begin(40 * FRAME, float("inf"))
    frames = noise(1000, 20, seed=2) + noise(300, SILENCE_FRAMES, seed=3)
    fed = [endpointer.feed(AudioFrame(pcm, (40 + at) * FRAME), 0.9) for at, pcm in enumerate(frames)]
    [_, ended] = without_pauses(fed)
    assert isinstance(ended, SpeechEnded)
    assert ended.end == 60 * FRAME

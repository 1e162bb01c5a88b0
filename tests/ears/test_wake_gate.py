"""The gate before the wake word: the engine rests in a quiet room, and hears all that belongs to a rise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from companion.ears.wake_gate import CATCH_UP, STAYS_OPEN, GatedWakeWord
from companion.events import EAR_RATE, AudioFrame
from tests.support.ears import WordAt, voiced

FRAME = 512
RNG_SEED = 4


class NotingWakeWord:
    """Notes the frames that it is given, and hears its word in the frame that ends at `at`."""

    words = ("okay_nabu",)

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.examined: list[int] = []
        self.resets = 0

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:  # noqa: ARG002 - the port's
        self.examined.append(frame.start)
        return "okay_nabu" if frame.end == self.at else None

    def reset(self) -> None:
        self.resets += 1


def noise(seconds: float, level: float) -> NDArray[np.float64]:
    return np.random.default_rng(RNG_SEED).normal(0, level, round(seconds * EAR_RATE / FRAME) * FRAME)


def tone(seconds: float, level: float, hz: float = 700.0) -> NDArray[np.float64]:
    length = round(seconds * EAR_RATE / FRAME) * FRAME
    tone: NDArray[np.float64] = level * np.sqrt(2) * np.sin(2 * np.pi * hz * np.arange(length) / EAR_RATE)
    return tone


def frames(sound: NDArray[np.float64], start: int = 0) -> list[AudioFrame]:
    pcm = np.rint(sound).astype("<i2").tobytes()
    return [AudioFrame(pcm[2 * at : 2 * (at + FRAME)], start + at) for at in range(0, len(sound), FRAME)]


def heard(gate: GatedWakeWord, sound: list[AudioFrame]) -> list[int]:
    """The ends of the frames with which the word was told."""
    return [frame.end for frame in sound if gate.detect(frame)]


def with_voice_at(at_s: float, voice: NDArray[np.float64], room: NDArray[np.float64]) -> NDArray[np.float64]:
    at = round(at_s * EAR_RATE / FRAME) * FRAME
    sound = room.copy()
    sound[at : at + len(voice)] += voice
    return sound


@pytest.mark.parametrize("level", [0, 1, 40, 2000])
def test_in_a_quiet_room_the_engine_rests(level: float) -> None:
    engine = NotingWakeWord()
    heard(GatedWakeWord(engine), frames(noise(60, level)))
    assert len(engine.examined) * FRAME <= 0.05 * 60 * EAR_RATE


@pytest.mark.parametrize("hz", [500, 1000, 1500])
@pytest.mark.parametrize("room", [1, 10, 100, 1000])
def test_a_voice_as_quiet_as_the_room_is_heard_from_a_second_before_it(room: float, hz: float) -> None:
    engine = NotingWakeWord()
    sound = frames(with_voice_at(20, tone(0.5, room, hz), noise(30, room)))
    heard(GatedWakeWord(engine), sound)
    began = round(20 * EAR_RATE / FRAME) * FRAME
    late = [start for start in engine.examined if start > 10 * EAR_RATE]
    assert late[0] <= began - CATCH_UP / 2
    assert set(range(began, began + EAR_RATE // 2 // FRAME * FRAME, FRAME)) <= set(late)


def test_a_voice_over_a_rumble_is_heard() -> None:
    engine = NotingWakeWord()
    heard(GatedWakeWord(engine), frames(with_voice_at(20, tone(0.5, 30), noise(30, 5) + tone(30, 300, hz=40))))
    assert [start for start in engine.examined if start > 10 * EAR_RATE]


def test_each_frame_is_examined_at_most_once_and_in_order() -> None:
    engine = NotingWakeWord()
    room = noise(60, 30)
    for at in (10, 14.5, 30, 45):
        room = with_voice_at(at, tone(0.6, 300), room)
    heard(GatedWakeWord(engine), frames(room))
    assert engine.examined == sorted(set(engine.examined))
    assert len(engine.examined) < len(room) / FRAME / 2


def test_a_word_that_lies_in_what_was_kept_is_told_once() -> None:
    began = round(20 * EAR_RATE / FRAME) * FRAME
    # Its end came before the rise: the door that fell shut behind it opens the gate.
    engine = NotingWakeWord(at=began - 4 * FRAME)
    [told] = heard(GatedWakeWord(engine), frames(with_voice_at(20, tone(0.5, 300), noise(30, 10))))
    assert began < told <= began + 4 * FRAME


def test_it_stays_open_while_it_is_loud_and_closes_behind() -> None:
    engine = NotingWakeWord()
    bursts = with_voice_at(10, tone(0.3, 300), noise(30, 10))
    bursts = with_voice_at(11.5, tone(0.3, 300), bursts)
    heard(GatedWakeWord(engine), frames(bursts))
    late = [start for start in engine.examined if start > 5 * EAR_RATE]
    assert late == list(range(late[0], late[-1] + 1, FRAME)), "no gap between two rises that are close"
    assert late[-1] <= (11.8 + 0.7) * EAR_RATE + STAYS_OPEN


def test_a_noise_that_goes_on_is_followed() -> None:
    engine = NotingWakeWord()
    heard(GatedWakeWord(engine), frames(np.concatenate([noise(10, 10), noise(60, 100)])))
    assert [start for start in engine.examined if start >= 10 * EAR_RATE], "it begins with a rise"
    assert not [start for start in engine.examined if start > 45 * EAR_RATE], "20 dB are followed within 30 s"


def test_a_reset_forgets_what_was_kept() -> None:
    engine = NotingWakeWord()
    gate = GatedWakeWord(engine)
    heard(gate, frames(noise(10, 10)))
    gate.reset()
    engine.examined.clear()
    loud = frames(with_voice_at(0, tone(0.5, 300), noise(1, 10)), start=10 * EAR_RATE)
    heard(gate, loud)
    assert engine.resets == 1
    assert min(engine.examined) == loud[0].start


def test_positions_may_start_again() -> None:
    engine = NotingWakeWord()
    gate = GatedWakeWord(engine)
    heard(gate, frames(with_voice_at(4, tone(0.5, 300), noise(10, 10))))
    engine.examined.clear()
    heard(gate, frames(noise(2, 10)))
    assert engine.examined == []


def test_the_engines_suspicion_is_told() -> None:
    engine = WordAt(suspected=voiced(10, 12))
    gate = GatedWakeWord(engine)
    told = [(gate.detect(frame), gate.suspects) for frame in frames(tone(1.0, 300))]
    assert [at for at, (_, suspects) in enumerate(told) if suspects] == [10, 11]
    assert not GatedWakeWord(NotingWakeWord()).suspects

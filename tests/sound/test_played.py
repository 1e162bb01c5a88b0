"""What is played, found again by the time at which it is heard."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.events import EAR_RATE
from companion.sound.played import KEPT_S, PlayedSound
from companion.voice.playback import Playback

STEP = 160


def steps(count: int, first: int = 1) -> list[bytes]:
    """Pieces of 10 ms, each of one value: 1, 2, 3 ..."""
    return [array("h", [number] * STEP).tobytes() for number in range(first, first + count)]


@given(st.integers(0, 99), st.integers(-300, 300))
def test_every_sample_is_where_it_was_put(number: int, samples: int) -> None:
    played = PlayedSound()
    for at, piece in enumerate(steps(100)):
        played.put(piece, EAR_RATE, 5.0 + at / 100)
    first = number * STEP + samples
    wanted = [at // STEP + 1 if 0 <= at < 100 * STEP else 0 for at in range(first, first + STEP)]
    assert list(played.heard(5.0 + first / EAR_RATE, STEP)) == wanted
    assert played.end() == pytest.approx(6.0)


def test_a_pause_stays_a_pause_and_a_report_that_jitters_none() -> None:
    played = PlayedSound()
    [one, other, third] = steps(3)
    played.put(one, EAR_RATE, 1.0)
    played.put(other, EAR_RATE, 1.015)
    played.put(third, EAR_RATE, 2.0)
    found = played.heard(1.0, EAR_RATE + STEP)
    assert np.flatnonzero(found == 1).size >= STEP - 10
    # The second followed the first at once: only its time was told wrongly.
    assert np.flatnonzero(found == 2)[0] - np.flatnonzero(found == 1)[-1] == 1
    assert np.flatnonzero(found == 3)[0] == EAR_RATE


def test_a_voice_of_another_rate_is_found_at_that_of_the_ears() -> None:
    played = PlayedSound()
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050)
    for at in range(0, 22_050, 441):
        played.put(tone[at : at + 441].astype("<i2").tobytes(), 22_050, at / 22_050)
    wanted = 8000 * np.sin(2 * np.pi * 440 * np.arange(8000) / EAR_RATE)
    assert np.abs(played.heard(0.0, 8000) - wanted)[200:].max() < 300


def test_only_the_last_seconds_are_kept_though_nobody_asks() -> None:
    played = PlayedSound()
    for at, piece in enumerate(steps(1000)):
        played.put(piece, EAR_RATE, at / 100)
    assert not played.heard(10.0 - KEPT_S - 1.0, EAR_RATE).any()
    assert played.heard(10.0 - KEPT_S, round(KEPT_S * EAR_RATE)).all()


def test_nothing_was_ever_played() -> None:
    assert PlayedSound().end() < -1e9
    assert not PlayedSound().heard(0.0, STEP).any()


def test_the_audio_thread_tells_what_it_gave_to_the_card_and_when_that_is_heard() -> None:
    """Silence that fills a gap is not told, and what is quieter is told so."""
    played, now = PlayedSound(), [100.0]
    playback = Playback(EAR_RATE, lambda: now[0], lambda: None, played)
    playback.resume()
    playback.append(array("h", [1000] * 800).tobytes())
    buffer = memoryview(bytearray(2 * 800))
    playback.fill(buffer, 0.05)  # a lead-in of 20 ms, then 480 samples
    now[0] += 0.05
    playback.fill(buffer, 0.05)  # the last 320, then silence
    found = played.heard(100.05, 1600)
    assert np.flatnonzero(found).tolist() == list(range(320, 1120))
    playback.set_volume(0.25)
    playback.append(array("h", [1000] * 1600).tobytes())
    for _ in range(2):
        now[0] += 0.05
        playback.fill(buffer, 0.05)
    assert played.heard(now[0] + 0.06, 1)[0] == 250

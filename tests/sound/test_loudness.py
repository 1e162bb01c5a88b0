"""How loud sound is, by the table of IEC 61672-1, and that nothing passes the limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.sound.loudness import FAST_S, LoudnessLimit, a_weighting, loudest_level

RATE = 22_050


def sine(hertz: float, level: float, seconds: float = 0.5, rate: int = RATE) -> bytes:
    samples = 32767 * 10 ** (level / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.rint(samples).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("hertz", "weight"), [(100, -19.1), (250, -8.6), (500, -3.2), (1000, 0), (4000, 1.0), (8000, -1.1)]
)
def test_frequencies_are_weighted_as_the_standard_says(hertz: float, weight: float) -> None:
    assert 20 * math.log10(a_weighting(np.array([float(hertz)]))[0]) == pytest.approx(weight, abs=0.1)
    assert loudest_level(sine(hertz, -10), RATE) == pytest.approx(-10 + weight, abs=0.3)


def test_silence_and_nothing_have_no_level() -> None:
    assert loudest_level(b"", RATE) == loudest_level(bytes(9999), RATE) == -math.inf


def test_a_quiet_sentence_stays_as_it_is_and_a_loud_one_keeps_its_shape() -> None:
    limit = LoudnessLimit(RATE, -20)
    quiet = sine(700, -30)
    assert limit.quiet_enough(quiet) == quiet
    loud = sine(1000, -3, 1.0)
    held = limit.quiet_enough(loud)
    assert loudest_level(held, RATE) == pytest.approx(-20.5, abs=0.2)
    later = np.frombuffer(held, "<i2")[RATE // 2 :].astype(float)
    assert np.corrcoef(later, np.frombuffer(loud, "<i2")[RATE // 2 :])[0, 1] > 0.999


@given(
    st.lists(st.tuples(st.floats(-40, 0), st.floats(0.1, 0.4), st.sampled_from([200.0, 1000.0, 3000.0])), max_size=8),
    st.floats(-30, -6),
)
def test_no_window_over_any_pieces_is_louder_than_the_limit(
    pieces: list[tuple[float, float, float]], most: float
) -> None:
    limit = LoudnessLimit(RATE, most)
    said = b"".join(limit.quiet_enough(sine(hertz, level, seconds)) for level, seconds, hertz in pieces)
    assert loudest_level(said + bytes(2 * round(FAST_S * RATE)), RATE) <= most

"""Where the voice is, told from a card whose reports jitter and whose crystal is not this machine's."""

from __future__ import annotations

import random

import pytest

from companion.voice.playback import HeardCounter

RATE = 16_000
STEP = 160
DELAY_S = 0.03


def worst_errors(drift_ppm: float, jitter_s: float, seconds: float) -> tuple[float, float]:
    """How far off (seconds, too early and too late) the count is from what a card has played.

    The card asks for 10 ms when it has played 10 ms by its own clock, which runs faster than this machine's by
    `drift_ppm`, and tells its delay with an error of up to `jitter_s`.
    """
    chance = random.Random(7)
    heard = HeardCounter(RATE)
    early = late = 0.0
    step_s = STEP / RATE / (1 + drift_ppm / 1e6)
    for number in range(round(seconds / step_s)):
        now = number * step_s
        heard.count_call(now, DELAY_S + chance.uniform(-jitter_s, jitter_s), STEP, 0, number * STEP, STEP)
        if now < 1.0:
            continue  # the first reports are taken as they come
        for part in (0.0, 0.5):
            played = max(0.0, (number + part) * STEP - DELAY_S * RATE)
            off = (heard.heard_by(now + part * step_s) - played) / RATE
            early, late = max(early, off), max(late, -off)
    return early, late


@pytest.mark.parametrize("drift_ppm", [-300, 0, 300])
def test_two_minutes_later_mouth_and_voice_are_still_together(drift_ppm: float) -> None:
    assert max(worst_errors(drift_ppm, 0.0, 120)) < 0.002


def test_the_reports_jitter_is_smoothed() -> None:
    assert max(worst_errors(100, 0.008, 30)) < 0.006

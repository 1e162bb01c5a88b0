"""The mouth, the places of cues, and sentences of one loudness."""

from __future__ import annotations

import math
import random
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.events import Cue, Sentence, SynthesizedSpeech
from companion.voice.lipsync import PEAK_DB, TARGET_DB, mouth_openings, normalize_loudness, place_cues, voiced_span

RATE = 22050


def tone(seconds: float, level: float, rate: int = RATE) -> bytes:
    count = round(seconds * rate)
    return struct.pack(f"<{count}h", *(round(32767 * level * math.sin(0.1 * n)) for n in range(count)))


def noise(seconds: float, level: float, rate: int = RATE) -> bytes:
    """Peaky like speech: a few loud samples among many soft ones."""
    dice = random.Random(1)
    count = round(seconds * rate)
    return struct.pack(f"<{count}h", *(round(32767 * level * dice.uniform(-1, 1) ** 9) for _ in range(count)))


def silence(seconds: float, rate: int = RATE) -> bytes:
    return bytes(2 * round(seconds * rate))


def db(pcm: bytes) -> tuple[float, float]:
    """RMS of the voiced part and peak, in dBFS."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    first, last = voiced_span(pcm, RATE)
    power = sum(one * one for one in samples[first:last]) / (last - first) / 32768**2
    return 10 * math.log10(power), 20 * math.log10(max(abs(one) for one in samples) / 32768)


def cues(*offsets: int) -> tuple[Cue, ...]:
    return tuple(Cue("happy", None, 1.0, at, "emoji") for at in offsets)


def test_the_mouth_opens_with_the_voice_and_shuts_in_silence() -> None:
    mouth = mouth_openings(SynthesizedSpeech(silence(0.2) + tone(0.4, 0.3) + silence(0.4)), RATE)
    assert len(mouth) == 50
    assert mouth[:9] == (0.0,) * 9
    assert all(one > 0.5 for one in mouth[12:29])
    assert mouth[-8:] == (0.0,) * 8


def test_a_louder_voice_opens_the_mouth_further() -> None:
    widest = [max(mouth_openings(SynthesizedSpeech(tone(0.3, level)), RATE)) for level in (0.003, 0.02, 0.1, 0.3)]
    assert widest == sorted(widest)
    assert widest[0] == 0.0
    assert len(set(widest)) == 4


SOUND = st.binary(max_size=4000)
RATES = st.sampled_from([8000, 11025, 16000, 22050, 24000, 44100, 48000])


@given(SOUND, RATES)
def test_there_is_an_opening_for_every_step_of_any_sound(pcm: bytes, rate: int) -> None:
    mouth = mouth_openings(SynthesizedSpeech(pcm), rate)
    assert all(0.0 <= one <= 1.0 for one in mouth)
    seconds = len(pcm) // 2 / rate
    assert len(mouth) == pytest.approx(seconds / 0.02, abs=1.01)
    assert len(mouth) * 0.02 >= seconds - 0.5 / rate


def test_a_cue_in_the_middle_of_the_text_is_due_in_the_middle_of_the_voice() -> None:
    pcm = silence(1.0) + tone(2.0, 0.2) + silence(0.5)
    sentence = Sentence("0123456789", cues(0, 5, 10))
    seconds = [placed.at / RATE for placed in place_cues(sentence, SynthesizedSpeech(pcm), RATE)]
    assert seconds == pytest.approx([1.0, 2.0, 3.0], abs=0.025)


def test_cues_without_sound_are_due_at_once() -> None:
    assert [placed.at for placed in place_cues(Sentence("", cues(0, 0)), SynthesizedSpeech(b""), RATE)] == [0, 0]
    assert [placed.at for placed in place_cues(Sentence("...", cues(2)), SynthesizedSpeech(silence(0.1)), RATE)] == [0]


@given(SOUND, RATES, st.text(max_size=30), st.lists(st.integers(-5, 60), max_size=6))
def test_cues_are_placed_in_order_and_inside_the_sound(pcm: bytes, rate: int, text: str, offsets: list[int]) -> None:
    placed = place_cues(Sentence(text, cues(*offsets)), SynthesizedSpeech(pcm), rate)
    assert sorted(one.cue.at for one in placed) == sorted(offsets)
    assert all(0 <= one.at <= len(pcm) // 2 for one in placed)
    assert all(before.at <= after.at for before, after in pairwise(placed))
    assert all(before.cue.at <= after.cue.at for before, after in pairwise(placed))


@pytest.mark.parametrize("level", [0.02, 0.1, 0.5, 1.0])
def test_soft_and_loud_sentences_come_out_alike(level: float) -> None:
    loudness, peak = db(normalize_loudness(silence(0.1) + tone(0.5, level) + silence(0.2), RATE))
    assert loudness == pytest.approx(TARGET_DB, abs=0.2)
    assert peak <= PEAK_DB


def test_the_peak_is_kept_even_where_the_voice_stays_softer() -> None:
    loudness, peak = db(normalize_loudness(noise(0.5, 0.9), RATE))
    assert peak <= PEAK_DB
    assert loudness <= TARGET_DB + 0.1


def test_silence_and_hiss_are_not_blown_up() -> None:
    assert normalize_loudness(b"", RATE) == b""
    hiss = noise(0.3, 0.003)
    assert normalize_loudness(hiss, RATE) == hiss


@given(SOUND, RATES)
def test_any_sound_keeps_its_length_and_its_peak_below_the_limit(pcm: bytes, rate: int) -> None:
    louder = normalize_loudness(pcm, rate)
    assert len(louder) == len(pcm) or len(louder) == len(pcm) - 1
    if voiced_span(pcm, rate) != (0, 0):
        assert max(abs(one) for one in struct.unpack(f"<{len(louder) // 2}h", louder)) <= 32768 * 10 ** (PEAK_DB / 20)

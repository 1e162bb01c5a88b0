"""Lips and words from phoneme times: shut on "m", open on "a", and a cue at its own word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.device import Device
from companion.config.persona import Persona, Profile, SpokenLines
from companion.events import Cue, Phoneme, Sentence, SynthesizedSpeech
from companion.voice import synthesizer_piper as piper
from companion.voice.lipsync import mouth_openings, place_cues, shape_by_phonemes, word_starts
from tests.support.paths import DATA

RATE = 16_000
VOICES = DATA / "piper-tiny"
PERSONA = Persona(name="Momo", profile=Profile(details="A bear."), lines=SpokenLines(offline=("Oh.",), failed=("Oh.",)))


def spell(symbols: str, each_s: float = 0.1) -> list[Phoneme]:
    return [Phoneme(round(index * each_s * RATE), symbol) for index, symbol in enumerate(symbols)]


def test_lips_shut_for_m_and_open_widest_for_a() -> None:
    mouth = shape_by_phonemes([0.8] * 30, spell("mai"), RATE)
    assert mouth[2] == 0.0
    assert mouth[7] == pytest.approx(0.8)
    assert 0.3 < mouth[12] < 0.8


def test_a_closure_shorter_than_a_step_of_the_mouth_is_still_seen() -> None:
    phonemes = [Phoneme(0, "a"), Phoneme(round(0.405 * RATE), "p"), Phoneme(round(0.412 * RATE), "a")]
    mouth = shape_by_phonemes([1.0] * 40, phonemes, RATE)
    assert mouth[20] == 0.0
    assert mouth[18] == mouth[22] == 1.0


def test_stress_length_and_silence_have_no_lips_of_their_own() -> None:
    assert shape_by_phonemes([0.5] * 10, spell("ˈːˌ^$"), RATE) == (0.5,) * 10
    assert shape_by_phonemes([0.5] * 10, [], RATE) == (0.5,) * 10


def test_each_word_begins_with_its_first_sound() -> None:
    phonemes = spell("^həl ˈoʊ maɪ$")
    assert word_starts("Hel lo, my!", phonemes) == [(0, 1600), (4, 9600), (8, 14400)]


def test_words_that_cannot_be_told_apart_are_not_guessed() -> None:
    assert word_starts("10 bears", spell("ten bɛəz ɔl")) == []
    assert word_starts("Hello", []) == []


def test_a_cue_is_due_with_its_word_and_not_in_proportion() -> None:
    # The first word takes most of the time: "Sooo (nods) no."
    phonemes = [Phoneme(0, "s"), Phoneme(1600, "o"), Phoneme(14_400, " "), Phoneme(14_400, "n"), Phoneme(15_000, "o")]
    pcm = b"\x00\x20" * 16_000
    cue = Cue(None, "nod", 1.0, 5, "direction")
    [exact] = place_cues(Sentence("Sooo no.", (cue,)), SynthesizedSpeech(pcm, tuple(phonemes)), RATE)
    [guessed] = place_cues(Sentence("Sooo no.", (cue,)), SynthesizedSpeech(pcm), RATE)
    assert exact.at == 14_400
    assert guessed.at == 10_000


@given(
    st.lists(st.floats(0, 1), max_size=60),
    st.lists(st.tuples(st.integers(0, 20_000), st.text(min_size=0, max_size=3)), max_size=30),
    st.sampled_from([8000, 16_000, 22_050]),
)
def test_the_mouth_never_opens_further_than_the_loudness_says(
    openings: list[float], raw: list[tuple[int, str]], rate: int
) -> None:
    phonemes = [Phoneme(at, symbol) for at, symbol in sorted(raw)]
    mouth = shape_by_phonemes(openings, phonemes, rate)
    assert len(mouth) == len(openings)
    assert all(0 <= shape <= opening + 0.001 for shape, opening in zip(mouth, openings, strict=True))


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 20_000), st.text(max_size=2)), max_size=30))
def test_word_starts_are_in_order_and_inside_the_text(text: str, raw: list[tuple[int, str]]) -> None:
    starts = word_starts(text, [Phoneme(at, symbol) for at, symbol in sorted(raw)])
    assert starts == sorted(starts)
    assert all(0 <= offset < len(text) for offset, _ in starts)


@pytest.mark.parametrize(("model", "tells"), [("en_XX-tiny-low.onnx", True), ("en_XX-tiny-low-plain.onnx", False)])
async def test_a_piper_voice_tells_its_phonemes_where_it_can(model: str, tells: bool) -> None:
    device = Device.model_validate({"persona": "teddy.toml", "voice": {"engine": "piper", "model": VOICES / model}})
    voice = piper.build(device, PERSONA)
    said = await voice.synthesize("My big brown bear. He may sing.")
    await voice.close()
    assert bool(said.phonemes) is tells
    if tells:
        times = [one.at for one in said.phonemes]
        assert times == sorted(times)
        assert times[-1] <= len(said.pcm) // 2
        starts = word_starts("My big brown bear. He may sing.", said.phonemes)
        assert [offset for offset, _ in starts] == [0, 3, 7, 13, 19, 22, 26]
        mouth = mouth_openings(said, voice.rate)
        bare = mouth_openings(SynthesizedSpeech(said.pcm), voice.rate)
        assert sum(mouth) < sum(bare)
        assert mouth.count(0.0) > bare.count(0.0)

"""Both voices: what is heard, and what is never spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.events import SynthesizedSpeech
from companion.voice import synthesizer_espeak as espeak
from companion.voice import synthesizer_piper as piper
from companion.voice.lipsync import mouth_openings
from tests.support.voices import PIPER_VOICE, device, loudness, needs_espeak, persona, seconds


@pytest.fixture(params=["piper", pytest.param("espeak", marks=needs_espeak)])
async def voice(request: pytest.FixtureRequest) -> AsyncIterator[piper.PiperSynthesizer | espeak.EspeakSynthesizer]:
    module = {"piper": piper, "espeak": espeak}[request.param]
    built = module.build(device(PIPER_VOICE), persona())
    yield built
    await built.close()


Voice = piper.PiperSynthesizer | espeak.EspeakSynthesizer


async def test_a_sentence_is_heard(voice: Voice) -> None:
    pcm = (await voice.synthesize("Hello there, my friend.")).pcm
    assert 0.8 < seconds(pcm, voice.rate) < 4
    assert max(mouth_openings(SynthesizedSpeech(pcm), voice.rate)) > 0.6


async def test_a_longer_sentence_is_heard_longer(voice: Voice) -> None:
    short = (await voice.synthesize("Hello.")).pcm
    long = (await voice.synthesize("Hello, and welcome to the garden of the sleepy bears.")).pcm
    assert len(long) > 2.5 * len(short)


async def test_sentences_are_equally_loud(voice: Voice) -> None:
    levels = [
        loudness((await voice.synthesize(text)).pcm) for text in ("No!", "I am very glad to see you.", "Mm, honey.")
    ]
    assert max(levels) < 2 * min(levels)


@pytest.mark.parametrize("text", ["", " ", "\n", "...", "!?", "…", "—", "()", "“”", "\x00\x01", "\ud800"])
async def test_what_holds_no_words_is_not_spoken(voice: Voice, text: str) -> None:
    assert (await voice.synthesize(text)).pcm == b""


@pytest.mark.parametrize(
    "text", ["--help", "-w /tmp/x.wav", "<speak>Hi</speak>", "a\x00b", "\x01s400 hi", "hi\n\nho", "\ud83d hi"]
)
async def test_odd_text_is_only_text(voice: Voice, text: str) -> None:
    assert 0.1 < seconds((await voice.synthesize(text)).pcm, voice.rate) < 8


async def test_phonemes_in_double_brackets_are_not_obeyed(voice: Voice) -> None:
    spelled = (await voice.synthesize("[[h@l'oUh@l'oUh@l'oUh@l'oU]]")).pcm
    word = (await voice.synthesize("h@l'oUh@l'oUh@l'oUh@l'oU")).pcm
    assert seconds(spelled, voice.rate) == pytest.approx(seconds(word, voice.rate), rel=0.35)


async def test_two_sentences_asked_for_at_once_both_come(voice: Voice) -> None:
    one, two = await asyncio.gather(voice.synthesize("One."), voice.synthesize("Two and three and four."))
    assert 0 < len(one.pcm) < len(two.pcm)


async def test_it_speaks_on_after_a_sentence_was_cancelled(voice: Voice) -> None:
    for _ in range(3):
        task = asyncio.ensure_future(voice.synthesize("A long tale of bears. " * 20))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await voice.synthesize("Hello.")).pcm


@pytest.mark.parametrize("module", [piper, pytest.param(espeak, marks=needs_espeak)])
async def test_the_persona_sets_the_pace(module: object) -> None:
    lengths = []
    for speed in (0.5, 1.0, 2.0):
        voice = module.build(device(PIPER_VOICE), persona(speed=speed))  # type: ignore[attr-defined]
        lengths.append(
            seconds((await voice.synthesize("There was a bear who liked to dance and sing.")).pcm, voice.rate)
        )
        await voice.close()
    assert lengths[0] > 1.4 * lengths[1] > 1.4 * 1.4 * lengths[2]


@given(st.text())
def test_cleaned_text_holds_no_commands_and_keeps_every_letter(text: str) -> None:
    for spoken in (espeak.speakable_text(text), piper.speakable_text(text)):
        assert "[" not in spoken
        assert all(one.isprintable() or one == "\u00ad" or ord(one) > 0x7F for one in spoken)
        assert [one for one in spoken if one.isalnum()] == ([one for one in text if one.isalnum()] if spoken else [])

"""Vosk with its real engine and a tiny model: words are heard, and whatever is wrong is said in one sentence."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from companion.ears import transcriber_vosk
from companion.ears.transcriber_vosk import VoskTranscriber
from companion.errors import EngineUnavailable, SpeechError
from companion.events import Transcript
from companion.ports import Transcriber
from tests.support.paths import DATA
from tests.support.synthetic_user import VOICES, room, say, silence
from tests.support.transcribing import device, persona, transcribe

VOSK_TINY = DATA / "vosk-tiny"


@pytest.fixture
async def vosk() -> AsyncIterator[Transcriber]:
    transcriber = transcriber_vosk.build(device(model=str(VOSK_TINY)), persona())
    yield transcriber
    await transcriber.close()


@pytest.mark.parametrize("voice", VOICES)
async def test_vosk_hears_a_sentence(vosk: Transcriber, voice: str) -> None:
    transcript, partials = await transcribe(vosk, room(0.3, say("tell me a story", voice), 0.7))
    assert transcript.text == "tell me a story"
    assert 0 < transcript.confidence <= 1
    assert partials[0] == ""
    assert "tell me a story" in partials


async def test_vosk_keeps_the_words_before_a_pause_that_it_takes_for_an_end(vosk: Transcriber) -> None:
    pcm = room(0.3, say("what is your name"), 4.0, say("tell me a story"), 4.0, say("open the door"), 0.3)
    transcript, partials = await transcribe(vosk, pcm)
    assert transcript.text == "what is your name tell me a story open the door"
    # What was told once is not taken back when the engine begins anew.
    first = partials.index("what is your name")
    assert all(partial.startswith("what is your name") for partial in partials[first:])


async def test_vosk_does_not_pass_on_sound_that_is_no_word(vosk: Transcriber) -> None:
    transcript, partials = await transcribe(vosk, room(0.3, say("xylophone"), 0.5, say("stop"), 0.7))
    assert "[unk]" not in transcript.text
    assert not any("[unk]" in partial for partial in partials)
    assert transcript.text.split()[-1] == "stop"


async def test_vosk_hears_nothing_in_silence(vosk: Transcriber) -> None:
    assert await transcribe(vosk, silence(1.0)) == (Transcript("", 1.0), [""] * 8)


async def test_vosk_forgets_an_utterance_that_was_dropped(vosk: Transcriber) -> None:
    await vosk.start()
    await vosk.feed(room(0.3, say("stop"), 0.3))
    await vosk.cancel()
    transcript, _ = await transcribe(vosk, room(0.3, say("goodbye"), 0.5))
    assert transcript.text == "goodbye"
    await vosk.cancel()


async def test_vosk_goes_on_after_a_cancelled_call(vosk: Transcriber) -> None:
    await vosk.start()
    feeding = asyncio.ensure_future(vosk.feed(room(0.3, say("stop"), 3.0)))
    await asyncio.wait([feeding], timeout=0)
    feeding.cancel()
    await asyncio.wait([feeding])
    assert (await transcribe(vosk, room(0.3, say("goodbye"), 0.5)))[0].text == "goodbye"


async def test_vosk_needs_an_utterance_to_be_begun(vosk: Transcriber) -> None:
    with pytest.raises(SpeechError):
        await vosk.feed(silence(0.1))
    with pytest.raises(SpeechError):
        await vosk.finish()


async def test_a_slow_vosk_is_given_up_with_a_reason() -> None:
    transcriber = VoskTranscriber(VOSK_TINY, timeout_s=1e-6)
    with pytest.raises(SpeechError, match="timeout_s"):
        await transcriber.start()
    await transcriber.close()


def _missing(folder: Path) -> Path:
    return folder / "missing"


def _empty(folder: Path) -> Path:
    return folder


def _outer(folder: Path) -> Path:
    (folder / "vosk-model-small-en-us" / "am").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("model", [lambda _: None, _missing, _empty, _outer])
def test_vosk_without_its_model_says_what_to_set(tmp_path: Path, model: Any) -> None:
    folder = model(tmp_path)
    with pytest.raises(EngineUnavailable, match=r"ears\.transcriber\.model") as refused:
        transcriber_vosk.build(device(model=folder and str(folder)), persona())
    assert folder is None or str(folder) in str(refused.value)


async def test_a_broken_vosk_model_is_an_error_with_the_first_words(tmp_path: Path) -> None:
    shutil.copytree(VOSK_TINY, tmp_path / "model", ignore=shutil.ignore_patterns("HCLG*", "HCLr*", "Gr.fst"))
    transcriber = transcriber_vosk.build(device(model=str(tmp_path / "model")), persona())
    with pytest.raises(SpeechError, match=r"ears\.transcriber\.model"):
        await transcribe(transcriber, silence(0.2))
    await transcriber.close()


async def test_a_vosk_that_cannot_be_imported_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(_: Path) -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(transcriber_vosk, "_load", no_home)
    transcriber = VoskTranscriber(VOSK_TINY, 5)
    with pytest.raises(SpeechError, match="home directory"):
        await transcriber.start()
    await transcriber.close()


def test_a_vosk_folder_that_cannot_be_read_is_one_sentence() -> None:
    with pytest.raises(EngineUnavailable, match=r"ears\.transcriber\.model"):
        transcriber_vosk.build(device(model="/" + "a" * 5000), persona())

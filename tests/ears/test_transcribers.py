"""Both transcribers with their real engines, and the protocol between the device and the pocketsphinx process."""

from __future__ import annotations

import asyncio
import io
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.device import Device
from companion.config.persona import Persona
from companion.ears import pocketsphinx_process as child
from companion.ears import transcriber_pocketsphinx, transcriber_vosk
from companion.ears.transcriber_pocketsphinx import PocketsphinxTranscriber
from companion.ears.transcriber_vosk import VoskTranscriber
from companion.errors import EngineUnavailable, SpeechError
from companion.events import Transcript
from companion.ports import Transcriber
from tests.support.paths import DATA
from tests.support.synthetic_user import RATE, VOICES, room, say, silence

VOSK_TINY = DATA / "vosk-tiny"
NO_POCKETSPHINX = "pocketsphinx has no package for this Python"
HAS_POCKETSPHINX = find_spec("pocketsphinx") is not None
PIECE = 2048 * 2


def device(**transcriber: Any) -> Device:
    return Device.model_validate({"persona": "bear.toml", "ears": {"transcriber": transcriber}})


def persona(language: str = "en") -> Persona:
    lines = {"offline": ["Oh."], "failed": ["Oh."]}
    return Persona.model_validate(
        {"name": "Bear", "language": language, "profile": {"details": "a bear"}, "lines": lines}
    )


async def transcribe(transcriber: Transcriber, pcm: bytes) -> tuple[Transcript, list[str]]:
    await transcriber.start()
    partials = [await transcriber.feed(pcm[at : at + PIECE]) for at in range(0, len(pcm), PIECE)]
    return await transcriber.finish(), partials


@pytest.fixture
async def vosk() -> AsyncIterator[Transcriber]:
    transcriber = transcriber_vosk.build(device(model=str(VOSK_TINY)), persona())
    yield transcriber
    await transcriber.close()


@pytest.fixture
async def pocketsphinx() -> AsyncIterator[PocketsphinxTranscriber]:
    if not HAS_POCKETSPHINX:
        pytest.skip(NO_POCKETSPHINX)
    transcriber = transcriber_pocketsphinx.build(device(), persona())
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


async def test_a_broken_vosk_model_is_told_with_the_first_words(tmp_path: Path) -> None:
    shutil.copytree(VOSK_TINY, tmp_path / "model", ignore=shutil.ignore_patterns("HCLG*", "HCLr*", "Gr.fst"))
    transcriber = transcriber_vosk.build(device(model=str(tmp_path / "model")), persona())
    with pytest.raises(SpeechError, match=r"ears\.transcriber\.model"):
        await transcribe(transcriber, silence(0.2))
    await transcriber.close()


# pocketsphinx


async def test_pocketsphinx_hears_words(pocketsphinx: PocketsphinxTranscriber) -> None:
    transcript, partials = await transcribe(pocketsphinx, room(0.3, say("how are you today", "en-us", 140), 0.7))
    assert transcript.text.startswith("how are you")
    assert transcript.confidence == 1.0
    assert partials[0] == ""
    assert len(set(partials)) > 2
    assert (await transcribe(pocketsphinx, silence(0.5)))[0].text == ""


async def test_pocketsphinx_forgets_an_utterance_that_was_dropped(pocketsphinx: PocketsphinxTranscriber) -> None:
    await pocketsphinx.cancel()
    await pocketsphinx.start()
    await pocketsphinx.feed(room(0.3, say("what is your name", "en-us"), 0.3))
    await pocketsphinx.cancel()
    with pytest.raises(SpeechError):
        await pocketsphinx.finish()
    assert (await transcribe(pocketsphinx, silence(0.5)))[0].text == ""


async def test_pocketsphinx_stays_in_step_after_a_cancelled_call(pocketsphinx: PocketsphinxTranscriber) -> None:
    await pocketsphinx.start()
    feeding = asyncio.ensure_future(pocketsphinx.feed(room(0.3, say("what is your name", "en-us"), 0.3)))
    await asyncio.wait([feeding], timeout=0)
    feeding.cancel()
    await asyncio.wait([feeding])
    await pocketsphinx.cancel()
    transcript, partials = await transcribe(pocketsphinx, silence(0.5))
    assert (transcript.text, set(partials)) == ("", {""})


def children() -> list[int]:
    """Processes of pocketsphinx that belong to this one."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    pids = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    return [pid for pid in pids if b"pocketsphinx_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def kill_child() -> None:
    (pid,) = children()
    gone = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([gone], [], [], 10)[0]
    os.close(gone)


async def test_pocketsphinx_costs_nothing_until_somebody_speaks(pocketsphinx: PocketsphinxTranscriber) -> None:
    assert children() == []
    await pocketsphinx.start()
    assert len(children()) == 1
    await pocketsphinx.finish()
    await pocketsphinx.start()
    assert len(children()) == 1
    await pocketsphinx.close()
    assert children() == []


async def test_a_killed_pocketsphinx_is_told_and_begun_again(pocketsphinx: PocketsphinxTranscriber) -> None:
    await pocketsphinx.start()
    kill_child()
    with pytest.raises(SpeechError, match="died"):
        await pocketsphinx.feed(silence(0.1))
    with pytest.raises(SpeechError):
        await pocketsphinx.finish()
    await pocketsphinx.cancel()
    assert (await transcribe(pocketsphinx, silence(0.5)))[0].text == ""


async def test_words_are_heard_again_after_a_death_between_two_utterances(
    pocketsphinx: PocketsphinxTranscriber,
) -> None:
    await transcribe(pocketsphinx, silence(0.2))
    kill_child()
    try:
        transcript, _ = await transcribe(pocketsphinx, silence(0.2))
    except SpeechError:
        # The loop may not have heard of the death yet; the one after that must work.
        transcript, _ = await transcribe(pocketsphinx, silence(0.2))
    assert transcript.text == ""


@pytest.mark.parametrize(
    "program",
    ["", "print('hello' * 1000)", "import sys; sys.stdout.buffer.write(bytes(100))"],
    ids=["ends at once", "writes text", "writes zeros"],
)
async def test_a_pocketsphinx_that_talks_nonsense_is_told(program: str) -> None:
    transcriber = PocketsphinxTranscriber(10.0, (sys.executable, "-c", program))
    with pytest.raises(SpeechError, match="died"):
        await transcriber.start()
    await transcriber.close()


async def test_a_hanging_pocketsphinx_is_ended() -> None:
    transcriber = PocketsphinxTranscriber(0.01, (sys.executable, "-c", "import sys; sys.stdin.read()"))
    with pytest.raises(SpeechError, match="timeout_s"):
        await transcriber.start()
    assert children() == []
    await transcriber.close()


async def test_a_pocketsphinx_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="cannot be started"):
        await PocketsphinxTranscriber(1.0, (str(tmp_path / "missing"),)).start()


@pytest.mark.skipif(not HAS_POCKETSPHINX, reason=NO_POCKETSPHINX)
def test_the_process_ends_when_the_device_is_killed() -> None:
    program = (
        "import asyncio, sys\n"
        "from companion.ears.transcriber_pocketsphinx import PocketsphinxTranscriber\n"
        "async def main():\n"
        "    transcriber = PocketsphinxTranscriber(10.0)\n"
        "    await transcriber.start()\n"
        "    print('started', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        (pid,) = map(int, Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split())
        gone = os.pidfd_open(pid)
        parent.kill()
        assert select.select([gone], [], [], 10)[0], "the process outlived the device"
        os.close(gone)


def test_pocketsphinx_hears_english_only() -> None:
    with pytest.raises(EngineUnavailable, match=r"ears\.transcriber\.model"):
        transcriber_pocketsphinx.build(device(), persona("zh"))


# The protocol, with a decoder that tells what it was asked.


class Decoder:
    """Refuses what the real one refuses; its words are the bytes that it was fed."""

    def __init__(self) -> None:
        self._begun = False
        self._words: list[str] = []

    def start_utt(self) -> None:
        if self._begun:
            raise RuntimeError("already begun")
        self._begun, self._words = True, []

    def end_utt(self) -> None:
        if not self._begun:
            raise RuntimeError("not begun")
        self._begun = False

    def process_raw(self, pcm: bytes, no_search: bool, full_utt: bool) -> None:
        assert not no_search
        assert not full_utt
        if not self._begun:
            raise RuntimeError("not begun")
        self._words.append(pcm.hex())

    def hyp(self) -> SimpleNamespace | None:
        return SimpleNamespace(hypstr=" ".join(self._words)) if self._words else None


def answers(stream: bytes) -> list[child.Message]:
    written = io.BytesIO()
    child.serve(io.BytesIO(stream), written, Decoder)
    written.seek(0)
    made = []
    while prefix := written.read(4):
        made.append(child.decode(written.read(child.length_of(prefix))))
    return made


messages = st.builds(child.Message, st.integers(0, 2**32 - 1), st.sampled_from(child.KINDS), st.binary(max_size=200))
requests = st.builds(
    child.Message,
    st.integers(0, 2**32 - 1),
    st.sampled_from([child.START, child.FEED, child.END, child.CANCEL]),
    st.binary(min_size=1, max_size=8),
)


@given(messages)
def test_a_message_arrives_as_it_was_sent(message: child.Message) -> None:
    wire = child.encode(message)
    assert child.length_of(wire[:4]) == len(wire) - 4
    assert child.decode(wire[4:]) == message


@given(st.binary(max_size=40))
def test_bytes_that_are_no_message_are_refused(noise: bytes) -> None:
    try:
        message = child.decode(noise)
    except ValueError:
        return
    assert child.encode(message)[4:] == noise


@given(st.binary(min_size=4, max_size=4))
def test_a_length_that_cannot_be_is_refused(prefix: bytes) -> None:
    length = int.from_bytes(prefix, "little")
    if 5 <= length <= child.LONGEST:
        assert child.length_of(prefix) == length
    else:
        with pytest.raises(ValueError, match=str(length)):
            child.length_of(prefix)


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ValueError, match="longer"):
        child.encode(child.Message(1, child.FEED, bytes(child.LONGEST)))


@given(st.lists(requests, max_size=30))
def test_every_request_in_any_order_gets_its_answer(asked: list[child.Message]) -> None:
    made = answers(b"".join(child.encode(request) for request in asked))
    assert [answer.number for answer in made] == [request.number for request in asked]
    words: list[str] | None = None
    for request, answer in zip(asked, made, strict=True):
        if request.kind in (child.FEED, child.END) and words is None:
            assert answer.kind == child.FAILED
            continue
        if request.kind == child.FEED:
            words = [*(words or []), request.payload.hex()]
        expected = " ".join(words or []) if request.kind in (child.FEED, child.END) else ""
        assert (answer.kind, answer.payload.decode()) == (child.TEXT, expected)
        if request.kind != child.FEED:
            words = [] if request.kind == child.START else None


@given(st.lists(requests, min_size=1, max_size=5), st.data())
def test_a_stream_cut_anywhere_is_answered_up_to_there(asked: list[child.Message], data: st.DataObject) -> None:
    wire = [child.encode(request) for request in asked]
    cut = data.draw(st.integers(0, sum(map(len, wire))))
    whole = 0
    while whole < len(wire) and sum(map(len, wire[: whole + 1])) <= cut:
        whole += 1
    assert len(answers(b"".join(wire)[:cut])) == whole


def test_the_real_engine_says_why_it_cannot_answer() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "companion.ears.pocketsphinx_process"],
        input=child.encode(child.Message(7, child.FEED, bytes(RATE))),
        capture_output=True,
        check=True,
    )
    assert child.decode(process.stdout[4:]) == child.Message(7, child.FAILED, b"no utterance was begun")


async def test_a_vosk_that_cannot_be_imported_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(_: Path) -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(transcriber_vosk, "_load", no_home)
    transcriber = VoskTranscriber(VOSK_TINY, 5)
    with pytest.raises(SpeechError, match="home directory"):
        await transcriber.start()
    await transcriber.close()


def test_a_vosk_folder_that_cannot_even_be_looked_at_is_a_sentence() -> None:
    with pytest.raises(EngineUnavailable, match=r"ears\.transcriber\.model"):
        transcriber_vosk.build(device(model="/" + "a" * 5000), persona())

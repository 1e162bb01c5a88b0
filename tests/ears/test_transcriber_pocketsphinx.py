"""Pocketsphinx in its child process: words are heard, and a child that dies, hangs or talks nonsense is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from companion.ears import transcriber_pocketsphinx
from companion.ears.transcriber_pocketsphinx import PocketsphinxTranscriber
from companion.errors import EngineUnavailable, SpeechError
from tests.support.synthetic_user import room, say, silence
from tests.support.transcribing import device, persona, transcribe

NO_POCKETSPHINX = "pocketsphinx has no package for this Python"
HAS_POCKETSPHINX = find_spec("pocketsphinx") is not None


@pytest.fixture
async def pocketsphinx() -> AsyncIterator[PocketsphinxTranscriber]:
    if not HAS_POCKETSPHINX:
        pytest.skip(NO_POCKETSPHINX)
    transcriber = transcriber_pocketsphinx.build(device(), persona())
    yield transcriber
    await transcriber.close()


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
    pids: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        # A thread may end while it is looked at.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pids.update(int(pid) for pid in (thread / "children").read_text().split())
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


async def test_a_killed_pocketsphinx_is_an_error_and_is_started_again(pocketsphinx: PocketsphinxTranscriber) -> None:
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
async def test_a_pocketsphinx_that_sends_nonsense_is_an_error(program: str) -> None:
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


async def test_a_pocketsphinx_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
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

"""espeak-ng: its pauses, its processes, and every way in which it can fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.child_environment import KEY_VARIABLE
from companion.errors import EngineUnavailable, SpeechError
from companion.languages.language import language, language_codes
from companion.voice import synthesizer_espeak as espeak
from tests.support.voices import device, needs_espeak, persona


def children() -> set[int]:
    """Processes that this one has started and not yet buried."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        # A thread may end while it is looked at.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.update(int(pid) for pid in (thread / "children").read_text().split())
    return found


def new_children(before: set[int]) -> set[int]:
    """The processes started since; waits for the first."""
    while not (new := children() - before):
        pass
    return new


def kill_new_children(before: set[int]) -> None:
    """End them, and return when they are dead."""
    for pid in new_children(before):
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@needs_espeak
async def test_espeak_rests_briefly_after_a_sentence() -> None:
    voice = espeak.build(device(), persona())
    bare, comma, stop = [len((await voice.synthesize(f"Hello{mark}")).pcm) / 2 / voice.rate for mark in ("", ",", ".")]
    assert comma - bare == pytest.approx(espeak.CLAUSE_PAUSE_S, abs=0.03)
    assert stop - bare == pytest.approx(espeak.SENTENCE_PAUSE_S, abs=0.03)
    await voice.close()


@pytest.mark.parametrize(
    ("text", "rest"),
    [("Hi.", 0.12), ("你好。", 0.12), ('"Hi!"', 0.12), ("Hi,", 0.06), ("嗯，", 0.06), ("Hi", 0.0), ("", 0.0)],
)
def test_the_rest_follows_the_mark(text: str, rest: float) -> None:
    assert espeak.pause_after(text) == rest


@needs_espeak
@pytest.mark.parametrize("name", ["klingon-zz", "", "../../etc/passwd", "-w", "en+nobody"])
def test_an_unknown_espeak_voice_is_said_so_before_anyone_speaks(name: str) -> None:
    with pytest.raises(EngineUnavailable, match=r"speech\.espeak"):
        espeak.build(device(), persona(espeak=name))


@needs_espeak
@pytest.mark.parametrize("name", ["en-us+f4", "cmn", "ja", "id", "en-gb+3"])
async def test_voices_of_all_our_languages_work(name: str) -> None:
    voice = espeak.build(device(), persona(espeak=name, pitch=70))
    assert voice.rate == 22050
    assert (await voice.synthesize("Halo 你好 こんにちは")).pcm
    await voice.close()


def test_without_espeak_the_way_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineUnavailable, match="apt install espeak-ng"):
        espeak.build(device(), persona())


@needs_espeak
async def test_a_waiting_process_that_was_killed_is_replaced() -> None:
    before = children()
    voice = espeak.build(device(), persona())
    first = (await voice.synthesize("Hello.")).pcm
    await asyncio.to_thread(kill_new_children, before)
    assert (await voice.synthesize("Hello.")).pcm == first
    await voice.close()
    assert children() <= before, "no process is left behind"


def program(folder: Path, script: str) -> tuple[str, ...]:
    """A stand-in for espeak-ng that does what the script says."""
    path = folder / "program.sh"
    path.write_text(script, encoding="utf-8")
    return ("sh", str(path))


def wav(pcm: bytes, rate: int = 22050, layout: int = 1, channels: int = 1, bits: int = 16) -> bytes:
    form = struct.pack("<HHIIHH", layout, channels, rate, 2 * rate, 2, bits)
    return b"RIFF\x24\xf0\xff\x7fWAVEfmt " + struct.pack("<I", 16) + form + b"data\x00\xf0\xff\x7f" + pcm


async def test_the_text_and_the_key_never_stand_in_the_list_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk-secret")
    (tmp_path / "sound.wav").write_bytes(wav(b"\x10\x20" * 9))
    script = f"cat /proc/$$/cmdline /proc/$$/environ >{tmp_path}/argv; cat >{tmp_path}/stdin; cat {tmp_path}/sound.wav"
    voice = espeak.EspeakSynthesizer(program(tmp_path, script), 22050, 5.0)
    assert (await voice.synthesize("My secret is honey, and I say")).pcm
    await voice.close()
    shown = (tmp_path / "argv").read_bytes()
    assert b"PATH=" in shown
    assert b"honey" not in shown
    assert b"sk-secret" not in shown
    assert (tmp_path / "stdin").read_bytes() == b"My secret is honey, and I say"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("kill -9 $$", "failed"),
        ("cat >/dev/null; echo 'bad luck' >&2; exit 3", "bad luck"),
        ("cat >/dev/null; echo not a wav at all, not at all", "no WAV"),
        ("cat >/dev/null", "no WAV"),
        ("exec sleep 60", "took longer than 0.1 s"),
    ],
)
async def test_a_failing_program_ends_as_one_sentence(tmp_path: Path, script: str, told: str) -> None:
    before = children()
    voice = espeak.EspeakSynthesizer(program(tmp_path, script), 22050, 0.1 if "sleep" in script else 5.0)
    with pytest.raises(SpeechError, match=told) as caught:
        await voice.synthesize("Honey.")
    assert "Honey" not in str(caught.value)
    await voice.close()
    assert children() <= before


async def test_a_program_that_vanished_ends_as_one_sentence(tmp_path: Path) -> None:
    voice = espeak.EspeakSynthesizer((str(tmp_path / "gone"),), 22050, 5.0)
    with pytest.raises(SpeechError, match="could not be started"):
        await voice.synthesize("Honey.")
    await voice.close()


async def test_a_cancelled_sentence_leaves_no_process(tmp_path: Path) -> None:
    before = children()
    voice = espeak.EspeakSynthesizer(program(tmp_path, "exec sleep 60"), 22050, 50.0)
    task = asyncio.ensure_future(voice.synthesize("Honey."))
    await asyncio.to_thread(new_children, before)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await voice.close()
    assert children() <= before


@given(st.binary(max_size=200), st.integers(4000, 192000), st.lists(st.binary(min_size=4, max_size=20), max_size=3))
def test_a_wav_from_a_pipe_is_read_past_other_chunks(pcm: bytes, rate: int, others: list[bytes]) -> None:
    data = wav(pcm, rate)
    extra = b"".join(b"LIST" + struct.pack("<I", len(other)) + other for other in others)
    assert espeak.read_wav(data[:36] + extra + data[36:]) == (rate, pcm[: len(pcm) // 2 * 2])


@given(st.one_of(st.binary(max_size=100), st.binary(max_size=60).map(lambda tail: b"RIFF\0\0\0\0WAVE" + tail)))
def test_anything_but_a_wav_is_refused(data: bytes) -> None:
    with pytest.raises(SpeechError):
        espeak.read_wav(data)


@pytest.mark.parametrize("wrong", [{"layout": 3}, {"channels": 2}, {"bits": 8}])
def test_other_kinds_of_wav_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SpeechError, match="16-bit mono"):
        espeak.read_wav(wav(b"\0\0", **wrong))


@needs_espeak
@pytest.mark.parametrize("code", sorted(language_codes()))
def test_a_languages_own_voice_reads_its_own_writing_and_not_in_english(code: str) -> None:
    """`cmn` of espeak-ng 1.51 reads every Chinese character as its English-spelled name: "en-eye-three"."""
    spoken = {"zh": "今天天气很好", "ja": "きょう は いい てんき", "ko": "오늘 날씨가 좋아요"}.get(code, "la casa bona")
    command = (espeak.PROGRAM, "-v", language(code).general.voices.espeak or code, "-q", "-x", spoken)
    assert "(en)" not in subprocess.run(command, capture_output=True, check=True, text=True).stdout

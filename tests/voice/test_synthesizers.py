"""Both voices: what is heard, what is never spoken, and every way in which an engine can fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import EngineUnavailable, SpeechError
from companion.events import SynthesizedSpeech
from companion.voice import synthesizer_espeak as espeak
from companion.voice import synthesizer_piper as piper
from companion.voice.lipsync import mouth_openings
from tests.support.paths import DATA

PIPER_VOICE = DATA / "piper-tiny" / "en_XX-tiny-low.onnx"
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def device(model: Path | None = None, timeout_s: float = 8.0) -> Device:
    return Device.model_validate({"persona": "x", "voice": {"model": model, "timeout_s": timeout_s}})


def persona(**speech: object) -> Persona:
    lines = {"offline": ["x"], "failed": ["x"]}
    return Persona.model_validate({"name": "x", "profile": {"details": "x"}, "lines": lines, "speech": speech})


def seconds(pcm: bytes, rate: int) -> float:
    return len(pcm) / 2 / rate


def loudness(pcm: bytes) -> float:
    samples = [one for one in struct.unpack(f"<{len(pcm) // 2}h", pcm) if abs(one) > 100]
    return sum(abs(one) for one in samples) / len(samples)


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


# ---- espeak-ng ----


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


async def test_the_text_never_stands_in_the_list_of_processes(tmp_path: Path) -> None:
    (tmp_path / "sound.wav").write_bytes(wav(b"\x10\x20" * 9))
    script = f"cat /proc/$$/cmdline >{tmp_path}/argv; cat >{tmp_path}/stdin; cat {tmp_path}/sound.wav"
    voice = espeak.EspeakSynthesizer(program(tmp_path, script), 22050, 5.0)
    assert (await voice.synthesize("My secret is honey, and I say")).pcm
    await voice.close()
    assert b"honey" not in (tmp_path / "argv").read_bytes()
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


@given(st.text())
def test_cleaned_text_holds_no_commands_and_keeps_every_letter(text: str) -> None:
    for spoken in (espeak.speakable_text(text), piper.speakable_text(text, "cmn")):
        assert "[" not in spoken
        assert all(one.isprintable() or one == "\u00ad" or ord(one) > 0x7F for one in spoken)
        assert [one for one in spoken if one.isalnum()] == ([one for one in text if one.isalnum()] if spoken else [])


# ---- Piper ----


def test_without_a_voice_piper_says_which_setting_is_missing() -> None:
    with pytest.raises(EngineUnavailable, match=r"voice\.model"):
        piper.build(device(), persona())


def test_a_voice_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"none\.onnx: cannot be read"):
        piper.build(device(tmp_path / "none.onnx"), persona())


def copied(folder: Path) -> Path:
    model = folder / "voice.onnx"
    model.write_bytes(PIPER_VOICE.read_bytes())
    (folder / "voice.onnx.json").write_bytes(PIPER_VOICE.with_name(f"{PIPER_VOICE.name}.json").read_bytes())
    return model


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"{}", b"\xff", b'{"audio": {"sample_rate": "fast"}, "num_speakers": 1}', b'{"audio": 3}'],
)
def test_a_broken_description_is_said_so(tmp_path: Path, text: bytes) -> None:
    model = copied(tmp_path)
    (tmp_path / "voice.onnx.json").write_bytes(text)
    with pytest.raises(EngineUnavailable, match="does not describe a Piper voice"):
        piper.build(device(model), persona())
    (tmp_path / "voice.onnx.json").unlink()
    with pytest.raises(EngineUnavailable, match=r"voice\.onnx\.json: cannot be read"):
        piper.build(device(model), persona())


@pytest.mark.parametrize(
    "data",
    [b"", b"version https://git-lfs.github.com/spec/v1\n", b"<!DOCTYPE html><html>", b"\xff" * 5000],
    ids=["empty", "pointer", "web_page", "garbage"],
)
def test_what_is_no_voice_is_said_so(tmp_path: Path, data: bytes) -> None:
    model = copied(tmp_path)
    model.write_bytes(data)
    with pytest.raises(EngineUnavailable, match="download the voice again"):
        piper.build(device(model), persona())


def test_a_download_that_was_cut_anywhere_is_said_so(tmp_path: Path) -> None:
    model = copied(tmp_path)
    whole = model.read_bytes()
    for share in (0.001, 0.1, 0.5, 0.9, 0.9999):
        model.write_bytes(whole[: int(len(whole) * share)])
        assert not piper.is_whole_onnx(model)
    model.write_bytes(whole)
    assert piper.is_whole_onnx(model)


@given(data=st.binary(max_size=60))
def test_looking_at_any_file_gives_an_answer(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(data)
    assert piper.is_whole_onnx(path) in (True, False)


async def test_a_voice_that_is_whole_but_wrong_fails_at_its_first_sentence(tmp_path: Path) -> None:
    model = copied(tmp_path)
    data = bytearray(model.read_bytes())
    middle = len(data) // 2
    data[40:middle] = bytes(middle - 40)
    model.write_bytes(data)
    voice = piper.build(device(model), persona())
    for _ in range(2):
        with pytest.raises(SpeechError, match=r"voice\.onnx: the voice"):
            await voice.synthesize("Hello.")
    await voice.close()


async def test_both_speakers_of_a_voice_can_be_chosen_and_no_other() -> None:
    for speaker in (0, 1):
        voice = piper.build(device(PIPER_VOICE), persona(speaker=speaker))
        assert (await voice.synthesize("Hello.")).pcm
        await voice.close()
    with pytest.raises(EngineUnavailable, match=r"speech\.speaker is 2, but the voice's speakers are 0 to 1"):
        piper.build(device(PIPER_VOICE), persona(speaker=2))


async def test_piper_gives_up_a_sentence_in_time() -> None:
    voice = piper.build(device(PIPER_VOICE, timeout_s=1e-6), persona())
    with pytest.raises(SpeechError, match="took longer"):
        await voice.synthesize("Hello.")
    await voice.close()


def test_piper_skips_what_it_would_spell_out_by_name() -> None:
    assert piper.speakable_text("Hi 😀 你好 friend ♥!", "en-us") == "Hi friend !"
    assert piper.speakable_text("你好 👋", "cmn") == "你好"
    assert piper.speakable_text("😀 ♪", "en-us") == ""
    assert piper.speakable_text("caffè naïve día", "it") == "caffè naïve día"

"""Piper: its voice files, and every way in which it can fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import EngineUnavailable, SpeechError
from companion.voice import synthesizer_piper as piper
from tests.support.voices import PIPER_VOICE, device, persona


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


@pytest.mark.parametrize("part", ["voice.onnx", "voice.onnx.json"])
def test_a_pipe_and_a_device_are_no_voice_and_are_not_waited_for(tmp_path: Path, part: str) -> None:
    model = copied(tmp_path)
    (tmp_path / part).unlink()
    os.mkfifo(tmp_path / part)
    with pytest.raises(EngineUnavailable, match=f"{part}: cannot be read \\(is not a plain file"):
        piper.build(device(model), persona())
    (tmp_path / part).unlink()
    (tmp_path / part).symlink_to("/dev/zero")
    with pytest.raises(EngineUnavailable, match="cannot be read"):
        piper.build(device(model), persona())


def test_millions_of_fields_are_no_voice(tmp_path: Path) -> None:
    model = copied(tmp_path)
    model.write_bytes(bytes(60_000_000))
    with pytest.raises(EngineUnavailable, match="download the voice again"):
        piper.build(device(model), persona())


@pytest.mark.parametrize("data", [b"[" * 200_000, b" " * 2_000_000])
def test_settings_of_a_voice_that_are_none_are_said_so(tmp_path: Path, data: bytes) -> None:
    model = copied(tmp_path)
    (tmp_path / "voice.onnx.json").write_bytes(data)
    with pytest.raises(EngineUnavailable, match=r"voice\.onnx\.json: (does not describe|cannot be read)"):
        piper.build(device(model), persona())


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
    assert piper.speakable_text("Hi 😀 friend ♥!") == "Hi friend !"
    assert piper.speakable_text("你好 👋") == "你好"
    assert piper.speakable_text("😀 ♪") == ""
    assert piper.speakable_text("caffè naïve día") == "caffè naïve día"

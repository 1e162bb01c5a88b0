"""The speech embeddings of a stream: however it is cut, they are those of the whole."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.ears.wake_custom import embeddings
from companion.ears.wake_custom.embeddings import SIZE, SPAN, STEP, Networks, SpeechEmbeddings
from companion.errors import EngineUnavailable
from companion.events import EAR_RATE

pytestmark = pytest.mark.skipif(embeddings.package_folder() is None, reason="pyopen-wakeword is not installed")

SECONDS = 3


@functools.cache
def networks() -> Networks:
    return Networks()


@functools.cache
def sound() -> bytes:
    """Something that rises and falls as speech does."""
    random = np.random.default_rng(1)
    times = np.arange(SECONDS * EAR_RATE) / EAR_RATE
    voice = np.sin(2 * np.pi * 160 * times + 9 * np.sin(2 * np.pi * 3 * times)) * (1 + np.sin(2 * np.pi * 4 * times))
    return (3000 * voice + random.normal(0, 100, len(times))).astype("<i2").tobytes()


@functools.cache
def whole() -> np.ndarray:
    return networks().of(np.frombuffer(sound(), "<i2").astype(np.float32))


def streamed(stream: SpeechEmbeddings, pieces: list[bytes]) -> np.ndarray:
    return np.concatenate([stream.feed(piece) for piece in pieces])


def cut(data: bytes, lengths: list[int]) -> list[bytes]:
    """The data in pieces of so many samples, again and again."""
    pieces, at, number = [], 0, 0
    while at < len(data):
        length = 2 * lengths[number % len(lengths)]
        pieces.append(data[at : at + length])
        at, number = at + length, number + 1
    return pieces


def test_a_piece_of_sound_has_one_every_80_ms() -> None:
    assert whole().shape == ((SECONDS * EAR_RATE - SPAN) // STEP + 1, SIZE)
    assert np.isfinite(whole()).all()
    assert networks().of(np.zeros(SPAN - 1, np.float32)).shape == (0, SIZE)
    assert networks().of(np.zeros(0, np.float32)).shape == (0, SIZE)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=5).filter(lambda lengths: sum(lengths) > 500))
def test_a_stream_cut_into_any_pieces_gives_what_the_whole_gives(lengths: list[int]) -> None:
    found = streamed(SpeechEmbeddings(networks()), cut(sound(), lengths))
    # The last ones wait until there are two of them.
    assert len(whole()) - 1 <= len(found) <= len(whole())
    np.testing.assert_allclose(found, whole()[: len(found)], atol=0.05)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_however_many_are_worked_through_at_once(steps: int) -> None:
    found = streamed(SpeechEmbeddings(networks(), steps), cut(sound(), [512]))
    assert len(whole()) - steps < len(found) <= len(whole())
    np.testing.assert_allclose(found, whole()[: len(found)], atol=0.05)


def test_an_empty_piece_changes_nothing() -> None:
    stream = SpeechEmbeddings(networks())
    assert stream.feed(b"").shape == (0, SIZE)
    found = streamed(stream, [one for piece in cut(sound(), [512]) for one in (piece, b"")])
    np.testing.assert_allclose(found, whole()[: len(found)], atol=0.05)


def test_after_a_reset_nothing_of_the_sound_before_is_left() -> None:
    stream = SpeechEmbeddings(networks())
    random = np.random.default_rng(2)
    stream.feed(random.integers(-30000, 30000, 20_000).astype("<i2").tobytes())
    stream.reset()
    found = streamed(stream, cut(sound(), [512]))
    fresh = streamed(SpeechEmbeddings(networks()), cut(sound(), [512]))
    np.testing.assert_array_equal(found, fresh)


def test_silence_and_full_scale_give_numbers() -> None:
    for level in (0, 32767, -32768):
        found = SpeechEmbeddings(networks()).feed(np.full(2 * EAR_RATE, level, "<i2").tobytes())
        assert len(found)
        assert np.isfinite(found).all()


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "PACKAGE", "not_installed_at_all")
    with pytest.raises(EngineUnavailable, match="install the package pyopen-wakeword"):
        Networks()


@pytest.mark.parametrize("gone", ["lib", "melspectrogram.tflite"])
def test_a_package_that_is_damaged_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    folder = embeddings.package_folder()
    assert folder is not None
    copy = tmp_path / "pyopen_wakeword"
    (copy / "models").mkdir(parents=True)
    (copy / "__init__.py").touch()
    if gone != "lib":
        (copy / "lib").symlink_to(folder / "lib")
    for name in ("melspectrogram.tflite", "embedding_model.tflite"):
        data = (folder / "models" / name).read_bytes()
        (copy / "models" / name).write_bytes(b"no network" if name == gone else data)
    monkeypatch.setattr(embeddings, "package_folder", lambda: copy)
    with pytest.raises(EngineUnavailable, match="install the package pyopen-wakeword"):
        Networks()

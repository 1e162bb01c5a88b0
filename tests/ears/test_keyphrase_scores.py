"""What pocketsphinx thinks of a sound, whatever the room is like and whatever was heard before."""

from __future__ import annotations

import importlib.util
import subprocess

import numpy as np
import pytest

from companion.ears.keyphrase_process import NOWHERE, in_less_quiet_room, scorer
from companion.sound.pcm import resample
from tests.support.voices import needs_espeak

needs_pocketsphinx = pytest.mark.skipif(
    importlib.util.find_spec("pocketsphinx") is None, reason="pocketsphinx is not installed"
)


def said(text: str, room: float) -> bytes:
    """A synthetic voice in a room with so much noise, in units of 16 bits."""
    wav = subprocess.run(["espeak-ng", "--stdout", text], capture_output=True, check=True).stdout
    sound = np.frombuffer(bytes(16_000) + resample(wav[44:], 22_050, 16_000), "<i2")
    return (
        np.rint(sound + np.random.default_rng(2).normal(0, room, len(sound)))
        .clip(-32768, 32767)
        .astype("<i2")
        .tobytes()
    )


@needs_espeak
@needs_pocketsphinx
@pytest.mark.parametrize("room", [0.0, 8.0, 100.0])
def test_a_word_is_found_in_a_quiet_room_too(room: float) -> None:
    score = scorer(["K AH M P Y UW T ER"])
    assert score(said("computer", room)) > NOWHERE / 2
    assert score(said("the weather is fine", room)) < NOWHERE / 2


@needs_espeak
@needs_pocketsphinx
def test_what_was_heard_before_does_not_change_a_score() -> None:
    score, word, other = scorer(["K AH M P Y UW T ER"]), said("computer", 100.0), said("hello", 300.0)
    first = score(word)
    score(other)
    assert score(word) == first


def test_a_room_that_is_not_quiet_stays_as_it_is() -> None:
    loud = np.random.default_rng(1).normal(0, 1000, 16_000).astype("<i2").tobytes()
    assert in_less_quiet_room(loud) == loud


@pytest.mark.parametrize("length", [0, 2, 100, 318, 320, 1002])
def test_any_length(length: int) -> None:
    assert len(in_less_quiet_room(bytes(length))) == length

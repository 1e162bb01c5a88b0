"""What pocketsphinx thinks of a sound, whatever was heard before."""

from __future__ import annotations

import importlib.util
import subprocess

import numpy as np
import pytest

from companion.ears.keyphrase_process import NOWHERE, scorer
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
def test_a_word_is_found_and_others_are_not() -> None:
    score = scorer(["K AH M P Y UW T ER"])
    assert score(said("computer", 100.0)) > NOWHERE / 2
    assert score(said("the weather is fine", 100.0)) < NOWHERE / 2


@needs_espeak
@needs_pocketsphinx
def test_what_was_heard_before_does_not_change_a_score() -> None:
    score, word, other = scorer(["K AH M P Y UW T ER"]), said("computer", 100.0), said("hello", 300.0)
    first = score(word)
    score(other)
    assert score(word) == first

"""Who follows up: somebody about as loud as before, not the television in the next room."""

from __future__ import annotations

from array import array

import pytest

from companion.ears.attention import Attention
from companion.ears.listener import Listener
from companion.ears.loudness import PersonLoudness
from companion.events import AudioFrame, Hearing, NobodySpoke, Utterance
from tests.support.ears import FRAME, Scribe, Tape, device, everything

PERSON = 3000


class ByLoudness:
    """Stands for the speech detector: all that is not nearly silent is speech."""

    frame_samples = FRAME

    def probability(self, pcm: bytes) -> float:
        return 0.9 if max(array("h", pcm)) > 20 else 0.1

    def reset(self) -> None:
        pass


def spoken(*levels: float) -> Tape:
    """Sentences of 1 s at these levels, each behind 1 s of silence, and 10 s of silence."""
    each: list[tuple[float, int]] = [part for level in levels for part in ((0, 31), (level, 31))]
    frames = [level for level, count in [*each, (0, 312)] for _ in range(count)]
    return Tape(
        *(
            AudioFrame(array("h", [round(level), -round(level)] * (FRAME // 2)).tobytes(), at * FRAME)
            for at, level in enumerate(frames)
        )
    )


async def sentences_heard(*levels: float, as_before: bool = True) -> int:
    """How many of these sentences are heard; the first is what follows the wake word."""
    ears = Listener(spoken(*levels), None, ByLoudness(), Scribe(*["words"] * len(levels)), device().ears)
    ears.listen_for(Attention.WORDS(8.0))

    def react(hearing: Hearing) -> Attention | None:
        match hearing:
            case Utterance():
                return Attention.WORDS(8.0, as_before=as_before)
            case NobodySpoke():
                return Attention.WAKE
        return None

    return sum(isinstance(one, Utterance) for one in await everything(ears, react))


def quieter(decibels: float) -> float:
    return PERSON / 10 ** (decibels / 20)


@pytest.mark.parametrize(("decibels", "sentences"), [(-10, 2), (0, 2), (2, 2), (4, 1), (13, 1)])
async def test_speech_much_quieter_than_before_is_no_follow_up(decibels: float, sentences: int) -> None:
    assert await sentences_heard(PERSON, quieter(decibels)) == sentences


async def test_behind_the_wake_word_any_loudness_will_do() -> None:
    assert await sentences_heard(PERSON, quieter(13), as_before=False) == 2


async def test_it_follows_somebody_who_goes_away_slowly() -> None:
    assert await sentences_heard(PERSON, quieter(2), quieter(3), quieter(4.5)) == 4


def test_a_follow_up_counts_half_and_a_new_wake_word_anew() -> None:
    person = PersonLoudness()
    assert person.least_energy == 0
    person.hear(400)
    assert person.least_energy == pytest.approx(200)
    person.hear(100)
    assert person.least_energy == pytest.approx(100)
    person.forget()
    assert person.least_energy == 0
    person.hear(50)
    assert person.least_energy == pytest.approx(25)

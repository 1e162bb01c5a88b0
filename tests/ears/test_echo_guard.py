"""The echo guard: what comes back of the loudspeaker is nobody, whatever the room; who speaks beside it is a person."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from companion.ears.echo_guard import EchoGuard
from companion.ears.own_voice import OwnVoice
from companion.sound.played import PlayedSound
from tests.support.echoing import FRAME, STORY, Sound, come_back, frames_of, pcm, speech
from tests.support.synthetic_user import RATE


def persons(guard: EchoGuard, heard: Sound, played: Sound) -> list[bool]:
    """For each frame, whether the guard hears a person in it."""
    return [
        guard.is_person(heard[at : at + FRAME], played[at : at + FRAME])
        for at in range(0, len(heard) // FRAME * FRAME, FRAME)
    ]


def begins(found: list[bool]) -> bool:
    """Whether that is enough for speech to begin: 3 of 5 frames."""
    return any(sum(found[at : at + 5]) >= 3 for at in range(len(found)))


@settings(max_examples=10, deadline=None)
@given(st.floats(0.0, 0.3), st.floats(-30.0, 0.0), st.floats(0.1, 0.6))
def test_an_echo_alone_is_nobody_from_the_first_word_on(delay_s: float, db: float, rt60_s: float) -> None:
    heard = come_back(STORY, delay_s, 10 ** (db / 20), rt60_s)
    assert not begins(persons(EchoGuard(FRAME), heard, STORY))


def test_somebody_as_loud_as_the_echo_is_heard_within_half_a_second() -> None:
    echo = come_back(STORY, 0.1, 0.3)
    other, at = speech("en+f3", "what happened to the fox"), len(STORY) // 2 // FRAME * FRAME
    echo[at : at + len(other)] += other * np.sqrt(np.square(echo).mean() / np.square(other).mean())
    found = persons(EchoGuard(FRAME), echo, STORY)
    assert not begins(found[: at // FRAME])
    assert begins(found[at // FRAME : at // FRAME + 16])


def test_an_echo_that_gets_louder_is_soon_an_echo_again() -> None:
    """Somebody turned the volume up at the amplifier."""
    guard = EchoGuard(FRAME)
    persons(guard, come_back(STORY, 0.1, 0.1), STORY)
    persons(guard, come_back(STORY, 0.1, 0.5), STORY)
    assert not begins(persons(guard, come_back(STORY, 0.1, 0.5), STORY))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(arrays(np.int16, FRAME), arrays(np.int16, FRAME)),
        min_size=1,
        max_size=8,
    )
)
def test_any_sound_gives_the_same_answer_twice(frames: list[tuple[Sound, Sound]]) -> None:
    """Nothing overflows either: warnings are errors."""
    once, again = EchoGuard(FRAME), EchoGuard(FRAME)
    for heard, played in frames * 4:
        both = (heard.astype(np.float32), played.astype(np.float32))
        assert once.is_person(*both) == again.is_person(*both)


def test_its_last_words_are_nobody_and_then_everybody_is_heard() -> None:
    """As behind an answer: the echo of its end still comes in, and soon nothing can."""
    played = PlayedSound()
    own = OwnVoice(played, lambda position: 10.0 + position / RATE)
    found = []
    for frame in frames_of(come_back(np.concatenate([STORY, np.zeros(2 * RATE, np.float32)]), 0.3, 1.0)):
        if spoken := pcm(STORY[frame.start : frame.end]):
            played.put(spoken, RATE, 10.0 + frame.start / RATE)
        found.append(own.is_person(frame))
    last = len(STORY) // FRAME
    assert not begins(found[: last + 21])
    assert all(found[last + 24 :])


def test_while_nothing_is_played_everything_is_a_person() -> None:
    own = OwnVoice(PlayedSound(), lambda position: position / RATE)
    assert all(own.is_person(frame) for frame in frames_of(STORY))


def test_sound_that_was_lost_does_not_make_the_echo_a_person() -> None:
    played = PlayedSound()
    own = OwnVoice(played, lambda position: position / RATE)
    frames = frames_of(come_back(STORY, 0.2, 0.5))
    found = []
    for frame in frames:
        played.put(pcm(STORY[frame.start : frame.end]), RATE, frame.start / RATE)
        if not 100 <= frame.start // FRAME < 105 and not 150 <= frame.start // FRAME < 200:
            found.append(own.is_person(frame))
    assert not begins(found)


def test_behind_a_canceller_everything_is_a_person_after_so_much_of_its_own_voice() -> None:
    played = PlayedSound()
    own = OwnVoice(played, lambda position: position / RATE, for_s=1.0)
    found = []
    for frame in frames_of(come_back(STORY, 0.05, 1.0)[: 3 * RATE]):
        played.put(pcm(STORY[frame.start : frame.end]), RATE, frame.start / RATE)
        found.append(own.is_person(frame))
    # Silence within what is played does not count.
    last = len(found) - found[::-1].index(False)
    assert RATE <= last * FRAME <= 1.2 * RATE
    assert not begins(found[:last])

"""Muted means muted: nothing of what was said before is found afterwards, and nothing half said is completed."""

from __future__ import annotations

from companion.ears.attention import Attention
from companion.events import AudioFrame, Utterance, WakeHeard
from tests.support.ears import FRAME, Scribe, Tape, VoiceAt, everything, first_of, listener, voiced, whole


class WordInTwoHalves:
    """Hears its word where it was given the frames that hold both halves, one after the other, without a reset."""

    words = ("okay_nabu",)

    def __init__(self, first: int, second: int) -> None:
        self._halves = (first, second)
        self._heard: set[int] = set()

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:  # noqa: ARG002 - the port's
        self._heard |= {half for half in self._halves if frame.start <= half < frame.end}
        return "okay_nabu" if len(self._heard) == 2 else None

    def reset(self) -> None:
        self._heard.clear()


async def test_words_just_before_the_mute_are_gone_though_the_button_is_pressed_just_behind_it() -> None:
    """The button takes in what was said a quarter of a second before it: not across a mute."""

    def unmute() -> None:
        ears.listen_for(Attention.WAKE)
        ears.push_to_talk()
        ears.listen_for(Attention.WORDS(5.0))

    scribe = Scribe("new words")
    tape = Tape(
        *whole(50),
        lambda: ears.listen_for(Attention.NOTHING),
        *whole(52, first_frame=50),
        unmute,
        *whole(150, first_frame=52),
    )
    ears = listener(tape, VoiceAt(voiced(44, 80)), scribe)
    (utterance,) = [one for one in await everything(ears) if isinstance(one, Utterance)]
    assert utterance.start >= 52 * FRAME
    assert first_of(scribe.utterances[0]) >= 52 * FRAME


async def test_not_even_a_part_of_a_frame_is_kept_from_before_the_mute() -> None:
    """A switch that is pressed twice, between two pieces of sound that are no whole frames."""

    def mute_and_unmute() -> None:
        ears.listen_for(Attention.NOTHING)
        ears.listen_for(Attention.WORDS())

    scribe = Scribe("new words")
    pieces = whole(150, size=480)
    tape = Tape(*pieces[:50], mute_and_unmute, *pieces[50:])
    ears = listener(tape, VoiceAt(voiced(0, 80)), scribe)
    await everything(ears)
    assert first_of(scribe.utterances[-1]) >= pieces[50].start


async def test_not_even_a_part_of_a_frame_is_kept_from_within_the_mute() -> None:
    scribe = Scribe("new words")
    pieces = whole(150, size=480)
    tape = Tape(
        lambda: ears.listen_for(Attention.NOTHING),
        *pieces[:50],
        lambda: ears.listen_for(Attention.WORDS()),
        *pieces[50:],
    )
    ears = listener(tape, VoiceAt(voiced(0, 80)), scribe)
    await everything(ears)
    assert first_of(scribe.utterances[-1]) >= pieces[50].start


async def test_a_wake_word_of_which_half_was_said_before_the_mute_does_not_wake() -> None:
    def mute() -> None:
        ears.listen_for(Attention.NOTHING)

    def unmute() -> None:
        ears.listen_for(Attention.WAKE)

    def halves(*between: object) -> Tape:
        return Tape(*whole(50), *between, *whole(100, first_frame=60))  # type: ignore[arg-type]

    word = WordInTwoHalves(49 * FRAME, 60 * FRAME)
    ears = listener(halves(), VoiceAt(), Scribe(), word)  # type: ignore[arg-type]  # it answers as an engine does
    assert [type(one) for one in await everything(ears)][:1] == [WakeHeard]
    word = WordInTwoHalves(49 * FRAME, 60 * FRAME)
    ears = listener(halves(mute, unmute), VoiceAt(), Scribe(), word)  # type: ignore[arg-type]
    assert await everything(ears) == []

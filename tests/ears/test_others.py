"""What the listener makes of frames that hold the device's own voice."""

from __future__ import annotations

from companion.ears.attention import Attention
from companion.ears.listener import Listener
from companion.events import AudioFrame, Hearing, SpeechStarted, Utterance, WakeHeard
from tests.support.ears import FRAME, Scribe, Tape, VoiceAt, WordAt, device, everything, first_of, voiced, whole


def ears(voice: VoiceAt, scribe: Scribe, word: WordAt | None, *own: tuple[int, int]) -> Listener:
    """A listener for 200 frames, of which these spans hold the device's own voice only."""

    def is_person(frame: AudioFrame) -> bool:
        return not any(first <= frame.start < last for first, last in own)

    return Listener(Tape(*whole(200)), word, voice, scribe, device().ears, is_person=is_person)


async def heard(listener: Listener, attention: Attention) -> list[Hearing]:
    listener.listen_for(attention)
    return await everything(listener)


async def test_its_own_wake_word_does_not_wake_it() -> None:
    word = WordAt(60 * FRAME)
    listener = ears(VoiceAt(), Scribe(), word, voiced(20, 80))
    assert await heard(listener, Attention.WAKE) == []


async def test_a_wake_word_in_which_somebody_else_was_heard_does() -> None:
    word = WordAt(60 * FRAME)
    listener = ears(VoiceAt(), Scribe(), word, voiced(20, 50), voiced(54, 80))
    assert [type(one) for one in await heard(listener, Attention.WAKE)] == [WakeHeard]


async def test_somebody_who_is_drowned_for_a_moment_goes_on_speaking() -> None:
    listener = ears(VoiceAt(voiced(40, 80)), Scribe("wait a moment"), None, voiced(20, 44), voiced(50, 57))
    found = await heard(listener, Attention.SPEECH)
    assert found[0] == SpeechStarted(44 * FRAME)
    assert [one.end for one in found if isinstance(one, Utterance)] == [80 * FRAME]


async def test_nobody_goes_on_speaking_where_only_its_own_voice_is_left() -> None:
    listener = ears(VoiceAt(voiced(40, 120)), Scribe("wait"), None, voiced(20, 44), voiced(60, 130))
    [said] = [one for one in await heard(listener, Attention.SPEECH) if isinstance(one, Utterance)]
    assert 60 * FRAME < said.end <= 68 * FRAME


async def test_its_own_last_words_are_not_put_before_those_of_the_person() -> None:
    scribe = Scribe("wait")
    await heard(ears(VoiceAt(voiced(60, 80)), scribe, None, voiced(30, 60)), Attention.SPEECH)
    assert 50 * FRAME < first_of(scribe.utterances[0]) < 60 * FRAME
    scribe = Scribe("wait")
    await heard(ears(VoiceAt(voiced(60, 80)), scribe, None), Attention.SPEECH)
    assert first_of(scribe.utterances[0]) < 32 * FRAME

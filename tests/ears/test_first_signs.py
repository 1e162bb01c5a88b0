"""The first signs of speech and of the wake word, before either is decided."""

from __future__ import annotations

from companion.ears.attention import Attention
from companion.ears.first_signs import LONGEST_WAKE
from companion.ears.listener import Listener
from companion.events import AudioFrame, FirstSign, Hearing, SpeechStarted, WakeHeard
from tests.support.ears import FRAME, Scribe, Tape, VoiceAt, WordAt, device, voiced, whole


async def heard(
    attention: Attention, voice: VoiceAt, word: WordAt | None = None, own: tuple[int, int] = (0, 0)
) -> list[Hearing]:
    """All of 100 frames; the span `own` holds the device's own voice only."""

    def is_person(frame: AudioFrame) -> bool:
        return not own[0] <= frame.start < own[1]

    ears = Listener(Tape(*whole(100)), word, voice, Scribe("wait"), device().ears, is_person=is_person)
    ears.listen_for(attention)
    return [one async for one in ears.hear() if isinstance(one, FirstSign | SpeechStarted | WakeHeard)]


async def test_the_first_voiced_frame_over_an_answer_is_a_sign_of_speech() -> None:
    found = await heard(Attention.SPEECH, VoiceAt(voiced(40, 60)))
    assert found[:3] == [
        FirstSign("speech", 41 * FRAME),
        SpeechStarted(40 * FRAME),
        FirstSign("nothing", 43 * FRAME),
    ]


async def test_a_click_is_one_for_as_long_as_it_could_become_speech() -> None:
    found = await heard(Attention.SPEECH, VoiceAt(voiced(40, 41)))
    assert found == [FirstSign("speech", 41 * FRAME), FirstSign("nothing", 46 * FRAME)]


async def test_its_own_voice_is_no_sign() -> None:
    voice, word = VoiceAt(voiced(40, 60)), WordAt(suspected=voiced(50, 55))
    assert await heard(Attention.SPEECH, voice, word, own=voiced(10, 70)) == []


async def test_where_no_answer_is_given_speech_has_no_signs() -> None:
    assert await heard(Attention.WORDS(), VoiceAt(voiced(40, 60))) == [SpeechStarted(40 * FRAME)]
    assert await heard(Attention.WAKE, VoiceAt(voiced(40, 60))) == []


async def test_the_engines_suspicion_is_a_sign_of_the_wake_word() -> None:
    word = WordAt(45 * FRAME, suspected=voiced(40, 45))
    assert await heard(Attention.WAKE, VoiceAt(), word) == [
        FirstSign("wake", 41 * FRAME),
        WakeHeard("okay_nabu", 46 * FRAME),
        FirstSign("nothing", 46 * FRAME),
    ]


async def test_a_suspicion_that_lasts_too_long_is_none_until_it_has_passed() -> None:
    longest = -(-LONGEST_WAKE // FRAME)
    assert await heard(Attention.WAKE, VoiceAt(), WordAt(suspected=voiced(20, 80))) == [
        FirstSign("wake", 21 * FRAME),
        FirstSign("nothing", (21 + longest) * FRAME),
    ]


async def test_an_engine_that_cannot_suspect_gives_no_signs() -> None:
    class Plain:
        words = ("okay_nabu",)

        def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:  # noqa: ARG002 - the port's
            return "okay_nabu" if frame.start == 45 * FRAME else None

        def reset(self) -> None: ...

    ears = Listener(Tape(*whole(100)), Plain(), VoiceAt(), Scribe(), device().ears)
    assert [one async for one in ears.hear()] == [WakeHeard("okay_nabu", 46 * FRAME)]

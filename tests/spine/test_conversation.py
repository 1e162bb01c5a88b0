"""The rules at the top of `companion/conversation.py`, one by one, on virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from companion.ears.attention import Attention
from companion.errors import CharacterError, CharacterRefused, DeviceError, SpeechError
from companion.events import Hearing, LikelyUtterance, NobodySpoke, Partial, SpeechStarted
from tests.support.doubles import MUTE, STOP, UNMUTE, ScriptedCharacter, VirtualSpeaker, pass_time
from tests.support.scene import PERSONA, WAKE, said, scene

pytestmark = pytest.mark.looptime


async def test_one_sentence_walks_from_the_wake_word_to_the_follow_up() -> None:
    async with scene() as s:
        s.listener.put(WAKE, SpeechStarted(16000), Partial("how", 20000), said("how are you"))
        await s.until("thinking")
        assert s.listener.attention == Attention.SPEECH
        await s.until("speaking")
        assert s.listener.attention == Attention.SPEECH
        await s.until("follow_up")
        assert s.notes.states() == ["idle", "listening", "thinking", "speaking", "follow_up"]
        assert s.voice.spoken == ["Hello.", "How are you?"]
        assert s.character.remembered == [("how are you", "Hello. How are you?")]
        assert s.listener.attention == Attention.WORDS(8.0, as_before=True)


async def test_the_body_shows_every_state() -> None:
    async with scene() as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        shown = [name for name, _ in s.performer.acted if name in s.notes.states()]
        assert shown == s.notes.states()


async def test_nobody_speaking_leads_back_to_idle() -> None:
    async with scene() as s:
        s.listener.put(WAKE)
        await s.until("listening")
        assert s.listener.attention == Attention.WORDS(5.0)
        s.listener.put(NobodySpoke(96000))
        await s.until("idle")
        assert s.listener.attention == Attention.WAKE


@pytest.mark.parametrize("follow_up_s", [0.5, 8.0])
async def test_in_the_follow_up_no_wake_word_is_needed(follow_up_s: float) -> None:
    async with scene(follow_up_s=follow_up_s) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        s.listener.put(SpeechStarted(90000), said("and you"))
        await s.until("thinking")
        await s.until("follow_up")
        assert s.character.asked == ["hi", "and you"]


async def test_in_open_mode_anybody_may_follow_up() -> None:
    async with scene(always_open=True) as s:
        s.listener.put(SpeechStarted(9000), said("hi"))
        await s.until("follow_up")
        assert s.listener.attention == Attention.WORDS(8.0)


async def test_a_talk_that_has_lasted_too_long_needs_the_wake_word_again() -> None:
    async with scene(longest_talk_s=20.0) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        await pass_time(19.0)  # the television talks on
        s.listener.put(SpeechStarted(90000), said("buy this car"))
        await s.until("idle")
        assert s.listener.attention == Attention.WAKE
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")


async def test_a_wake_word_begins_a_new_talk() -> None:
    async with scene(longest_talk_s=20.0) as s:
        for _ in range(2):
            s.listener.put(WAKE, said("hi"))
            await s.until("follow_up")
            await pass_time(15.0)


async def test_without_follow_up_the_device_rests_after_an_answer() -> None:
    async with scene(follow_up_s=0.0) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        await s.until("idle")


async def test_a_wake_word_while_it_speaks_silences_it_and_only_what_was_heard_is_remembered() -> None:
    character = ScriptedCharacter(["One two three four five six seven eight nine ten. ", "Never heard."])
    async with scene(character) as s:
        s.listener.put(WAKE, said("count"))
        await s.until("speaking")
        await pass_time(1.0)
        before = asyncio.get_running_loop().time()
        s.listener.put(WAKE)
        await s.until("listening")
        assert s.speaker.silent
        assert s.speaker.flushed_at[0] - before < 0.02
        [(asked, heard)] = s.character.remembered
        assert asked == "count"
        assert heard
        assert "One two three four five six seven eight nine ten.".startswith(heard)
        assert len(heard) < 30
        assert s.notes.of("heard") == [{"text": heard, "reason": "interrupted"}]


async def test_barge_in_closes_the_stream_so_that_the_model_stops() -> None:
    async with scene(ScriptedCharacter(["Hello there my friend. ", 20.0, "Late."])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        s.listener.put(WAKE)
        await s.until("listening")
        assert s.character.closed_streams == 1


async def test_the_loudspeaker_falls_silent_before_anything_else_is_closed() -> None:
    """The service may take its time to close an answer, while the person speaks already."""
    character = ScriptedCharacter(["One two three four five six seven eight nine ten. ", 20.0], closes_s=0.8)
    async with scene(character) as s:
        s.listener.put(WAKE, said("count"))
        await s.until("speaking")
        await pass_time(1.0)
        before = asyncio.get_running_loop().time()
        s.listener.put(WAKE)
        await s.until("listening")
        assert s.speaker.flushed_at[0] - before < 0.02


async def test_at_barge_in_the_body_comes_to_rest_and_the_mouth_shuts() -> None:
    async with scene(ScriptedCharacter(["(dances) One two three four five six seven eight."])) as s:
        s.listener.put(WAKE, said("dance"))
        await s.until("speaking")
        await pass_time(1.0)
        assert s.performer.opening > 0
        s.listener.put(WAKE)
        await s.until("listening")
        assert [name for name, _ in s.performer.acted][-2:] == ["relax", "listening"]
        assert s.performer.opening == 0.0


@pytest.mark.parametrize(("always_open", "first"), [(False, WAKE), (True, SpeechStarted(16000))])
async def test_while_somebody_speaks_the_connection_is_opened_and_in_their_pause_the_loudspeaker(
    always_open: bool, first: Hearing
) -> None:
    character, speaker = ScriptedCharacter(connects_s=0.4), VirtualSpeaker(wakes_s=0.4)
    async with scene(character, speaker=speaker, always_open=always_open) as s:
        s.listener.put(first)
        await s.until("listening")
        await pass_time(1.0)
        s.listener.put(LikelyUtterance(said("hi")))
        await pass_time(0.5)
        s.listener.put(said("hi"))
        await s.until("thinking")
        asked = asyncio.get_running_loop().time()
        await s.until("speaking")
        assert asyncio.get_running_loop().time() - asked < 0.1


async def test_a_loudspeaker_that_fell_asleep_wakes_up_while_the_answer_is_thought_of() -> None:
    async with scene(ScriptedCharacter([0.5, "Hello."]), speaker=VirtualSpeaker(wakes_s=0.4)) as s:
        s.listener.put(WAKE)
        await s.until("listening")
        await pass_time(10.0)
        s.listener.put(said("all that took me ten seconds"))
        await s.until("thinking")
        asked = asyncio.get_running_loop().time()
        await s.until("speaking")
        assert asyncio.get_running_loop().time() - asked == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("words", ["stop", "Stop.", "okay stop it Momo", "please be quiet"])
async def test_stop_ends_the_talk_without_a_word(words: str) -> None:
    async with scene() as s:
        s.listener.put(WAKE, said(words))
        await s.until("listening")
        await s.until("idle")
        assert s.voice.spoken == []
        assert s.character.asked == []


async def test_goodbye_is_answered_in_the_personas_words_and_ends_the_talk() -> None:
    async with scene() as s:
        s.listener.put(WAKE, said("bye bye momo"))
        await s.until("speaking")
        await s.until("idle")
        assert " ".join(s.voice.spoken) == PERSONA.lines.goodbye[0]
        assert s.character.asked == []


async def test_an_unreachable_service_is_told_in_the_personas_words_and_listening_goes_on() -> None:
    async with scene(ScriptedCharacter([CharacterError("no route")])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert " ".join(s.voice.spoken) == PERSONA.lines.offline[0]
        assert s.character.remembered == [("hi", "")]
        assert s.notes.of("error") == [{"code": "character", "sentence": "no route"}]
        assert "offline" in [name for name, _ in s.performer.acted]
        s.character.deltas = ["Back again."]
        s.listener.put(said("hello"))
        await s.until("thinking")
        await s.until("follow_up")
        assert s.voice.spoken[-1] == "Back again."


async def test_a_refusal_is_never_read_aloud() -> None:
    refusal = CharacterRefused("The key is wrong.", "invalid_api_key")
    async with scene(ScriptedCharacter([refusal])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert " ".join(s.voice.spoken) == PERSONA.lines.failed[0]


async def test_a_lost_loudspeaker_does_not_stop_the_listening() -> None:
    async with scene(speaker=VirtualSpeaker(DeviceError("it was unplugged"))) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert {"code": "device", "sentence": "it was unplugged"} in s.notes.of("error")


async def test_a_lost_microphone_is_reopened_with_growing_pauses() -> None:
    async with scene() as s:
        s.listener.put(*[DeviceError(f"gone {number}") for number in range(7)])
        await s.until("idle")
        await pass_time(60)
        times = [t for t, kind, _ in s.notes.notes if kind == "error"]
        assert [after - before for before, after in pairwise(times)] == pytest.approx([0.25, 0.5, 1, 2, 2, 2])
        s.listener.put(WAKE, DeviceError("gone again"), DeviceError("and again"))
        await pass_time(1)
        times = [t for t, kind, _ in s.notes.notes if kind == "error"]
        assert times[-1] - times[-2] == pytest.approx(0.25)


async def test_a_microphone_that_stays_away_is_told_of_once_and_again_when_it_goes_again() -> None:
    async with scene() as s:
        s.listener.put(*[DeviceError("gone")] * 20, WAKE)
        await s.until("listening")
        assert [note["sentence"] for note in s.notes.of("error")] == ["gone"]
        s.listener.put(DeviceError("gone"), WAKE)
        await s.until("idle")
        await s.until("listening")
        assert [note["sentence"] for note in s.notes.of("error")] == ["gone", "gone"]


async def test_however_long_a_microphone_is_away_it_is_looked_for_every_two_seconds() -> None:
    async with scene() as s:
        s.listener.put(*[DeviceError("gone")] * 25, WAKE)
        await s.until("listening", within_s=25 * 2.0)


async def test_a_lost_microphone_ends_the_listening_until_it_is_back() -> None:
    async with scene() as s:
        s.listener.put(WAKE, DeviceError("gone"))
        await s.until("listening")
        await s.until("idle")
        assert s.listener.attention == Attention.WAKE


async def test_the_end_of_a_file_ends_what_is_being_said() -> None:
    async with scene() as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        s.listener.put(None)
        async with asyncio.timeout(0.1):
            await s.running
        assert s.speaker.silent


async def test_a_file_that_cannot_be_read_ends_the_conversation_with_its_error() -> None:
    async def converse() -> None:
        async with scene(reopens_microphone=False) as s:
            s.listener.put(DeviceError("user.wav is no sound"))

    with pytest.RaisesGroup(pytest.RaisesExc(DeviceError, match="user.wav is no sound")):
        await converse()


async def test_a_failing_transcriber_is_excused_and_listening_goes_on() -> None:
    async with scene() as s:
        s.listener.put(WAKE, SpeechStarted(16000), SpeechError("the child died"))
        await s.until("follow_up")
        assert " ".join(s.voice.spoken) == PERSONA.lines.failed[0]


@pytest.mark.parametrize("state", ["idle", "listening", "thinking", "speaking", "follow_up"])
async def test_muting_works_in_every_state_and_nothing_is_heard_until_unmuted(state: str) -> None:
    async with scene(ScriptedCharacter([0.5, "Hello there my friend."])) as s:
        if state != "idle":
            s.listener.put(WAKE)
        if state in ("thinking", "speaking", "follow_up"):
            s.listener.put(said("hi"))
        await s.until(state)
        s.listener.put(MUTE, WAKE, said("secret"))
        await s.until("muted")
        await pass_time(10)
        assert s.conversation.state == "muted"
        assert s.listener.attention == Attention.NOTHING
        assert s.speaker.silent
        assert "secret" not in s.character.asked
        s.listener.put(UNMUTE)
        await s.until("idle")
        assert s.listener.attention == Attention.WAKE


async def test_a_failing_transcriber_does_not_unmute() -> None:
    async with scene() as s:
        s.listener.put(WAKE, SpeechStarted(16000), MUTE, SpeechError("the child died"))
        await s.until("muted")
        await pass_time(10)
        assert s.conversation.state == "muted"
        assert s.voice.spoken == []


async def test_the_stop_button_ends_the_talk() -> None:
    async with scene() as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        s.listener.put(STOP)
        await s.until("idle")
        assert s.speaker.silent


async def test_an_open_device_needs_no_wake_word() -> None:
    async with scene(always_open=True) as s:
        await s.until("idle")
        assert s.listener.attention == Attention.WORDS()
        s.listener.put(SpeechStarted(100), said("hi"))
        await s.until("follow_up")
        assert s.character.asked == ["hi"]

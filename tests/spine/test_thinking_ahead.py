"""Answers that are made while the person may still be speaking: heard only if they had finished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from companion.errors import CharacterError, SpeechError
from companion.events import LikelyUtterance, NoWords, Partial, SpeechResumed, SpeechStarted, Utterance
from companion.floor import Floor
from tests.support.doubles import MUTE, STOP, ScriptedCharacter, ScriptedVoice, pass_time
from tests.support.scene import PERSONA, WAKE, Scene, said, scene

pytestmark = pytest.mark.looptime

GO_ON = SpeechResumed(34000)


class FailsOnce(ScriptedCharacter):
    async def reply(self, said: str, speaker: str = "", floor: Floor | None = None) -> AsyncGenerator[str]:
        if not self.asked:
            self.asked.append(said)
            raise CharacterError("It cannot be reached.")
        async for delta in super().reply(said, speaker, floor):
            yield delta


def likely(text: str) -> LikelyUtterance:
    return LikelyUtterance(said(text))


async def begins(s: Scene, text: str = "how are you") -> None:
    """Somebody calls the device and says this; then they pause for a while that is too short to be the end."""
    s.listener.put(WAKE, SpeechStarted(16000), likely(text))
    await s.until("listening")
    await pass_time(0.2)


async def test_the_answer_is_made_at_the_pause_and_heard_at_its_end() -> None:
    async with scene(ScriptedCharacter([0.15, "Hello."])) as s:
        await begins(s)
        assert s.character.asked == ["how are you"]
        assert s.voice.spoken == ["Hello."]
        # Nothing is said, shown or told of it while the person may go on.
        assert s.notes.states() == ["idle", "listening"]
        assert s.speaker.silent
        assert not s.notes.of("request")
        s.listener.put(said("how are you"))
        await s.until("speaking", within_s=0.01)
        await s.until("follow_up")
        assert s.character.asked == ["how are you"]
        assert s.character.remembered == [("how are you", "Hello.")]


async def test_what_happened_ahead_is_told_behind_the_utterance_with_its_own_time() -> None:
    async with scene(ScriptedCharacter([0.1, "Hello."])) as s:
        await begins(s)
        s.listener.put(said("how are you"))
        await s.until("follow_up")
        kinds = [kind for _, kind, _ in s.notes.notes]
        assert kinds.index("utterance") < kinds.index("request") < kinds.index("first_token") < kinds.index("sentence")
        at = {kind: t for t, kind, _ in s.notes.notes}
        assert at["utterance"] - at["request"] == pytest.approx(0.2, abs=0.01)
        assert at["utterance"] - at["sentence"] == pytest.approx(0.1, abs=0.01)
        [turn] = s.notes.of("turn")
        assert turn["latency_ms"]["first_token"] == pytest.approx(100, abs=1)
        assert turn["latency_ms"]["allowed"] == pytest.approx(100, abs=1)


async def test_whoever_goes_on_hears_one_answer_to_all_they_said() -> None:
    async with scene(ScriptedCharacter(["Hello."])) as s:
        await begins(s, "turn on")
        s.listener.put(GO_ON, Partial("turn on the light", 40000), likely("turn on the light"))
        await pass_time(0.2)
        s.listener.put(said("turn on the light"))
        await s.until("follow_up")
        assert s.character.asked == ["turn on", "turn on the light"]
        assert s.character.closed_streams == 2
        assert s.character.remembered == [("turn on the light", "Hello.")]
        assert s.notes.of("heard") == [{"text": "Hello.", "reason": "finished"}]
        assert len(s.notes.of("request")) == len(s.notes.of("dropped")) == 1
        assert len(s.turns) == 1


async def test_the_request_is_dropped_with_the_first_new_word() -> None:
    async with scene(ScriptedCharacter([10.0, "Hello."])) as s:
        await begins(s, "turn on")
        s.listener.put(GO_ON, Partial("turn on the", 40000))
        await pass_time(0.01)
        assert s.character.closed_streams == 1
        s.listener.put(said("turn on the light"))
        await s.until("thinking")


async def test_a_noise_behind_the_words_does_not_drop_the_answer() -> None:
    async with scene(ScriptedCharacter(["Hello."])) as s:
        await begins(s)
        s.listener.put(GO_ON, likely("how are you"), said("how are you"))
        await s.until("follow_up")
        assert s.character.asked == ["how are you"]
        assert not s.notes.of("dropped")


@pytest.mark.parametrize("command", ["stop", "goodbye", "say that another way"])
async def test_what_is_said_to_the_device_itself_is_asked_of_nobody(command: str) -> None:
    async with scene() as s:
        await begins(s, command)
        assert s.character.asked == []
        s.listener.put(said(command))
        await pass_time(0.1)


async def test_where_the_character_may_not_think_ahead_it_is_asked_at_the_end() -> None:
    async with scene(ScriptedCharacter(thinks_ahead=False)) as s:
        await begins(s)
        assert s.character.asked == []
        s.listener.put(said("how are you"))
        await s.until("follow_up")
        assert s.character.asked == ["how are you"]


@pytest.mark.parametrize("control", [MUTE, STOP, WAKE])
async def test_whatever_ends_the_talk_drops_what_is_made_ahead(control: object) -> None:
    async with scene(ScriptedCharacter([10.0, "Hello."])) as s:
        await begins(s)
        s.listener.put(control)  # type: ignore[arg-type]
        await pass_time(0.1)
        assert s.character.closed_streams == 1
        assert s.character.remembered == []
        assert s.speaker.silent


async def test_a_request_that_fails_before_anybody_waits_is_made_again() -> None:
    async with scene(FailsOnce(["Hello."])) as s:
        await begins(s)
        assert s.speaker.silent
        s.listener.put(said("how are you"))
        await s.until("follow_up")
        assert s.character.asked == ["how are you", "how are you"]
        assert s.voice.spoken == ["Hello."]
        assert not s.notes.of("error")


async def test_a_service_that_fails_both_times_is_told_once() -> None:
    async with scene(ScriptedCharacter([CharacterError("It cannot be reached.")])) as s:
        await begins(s)
        s.listener.put(said("how are you"))
        await s.until("follow_up")
        assert " ".join(s.voice.spoken) == PERSONA.lines.offline[0]
        assert [one["sentence"] for one in s.notes.of("error")] == ["It cannot be reached."]


async def test_a_voice_that_fails_ahead_is_silent_until_it_is_its_turn() -> None:
    async with scene(voice=ScriptedVoice(SpeechError("the voice died"))) as s:
        await begins(s)
        assert s.speaker.silent
        assert not s.notes.of("error")
        s.listener.put(said("how are you"))
        await s.until("follow_up")
        assert {"code": "speech", "sentence": "the voice died"} in s.notes.of("error")


async def test_an_answer_that_is_ready_early_still_waits() -> None:
    async with scene(ScriptedCharacter(["Hello. ", "Who are you?"])) as s:
        s.listener.put(WAKE, SpeechStarted(16000), likely("and then"))
        await s.until("listening")
        await pass_time(1.5)
        assert s.speaker.silent
        s.listener.put(said("and then"))
        await s.until("follow_up")
        assert s.notes.of("heard")[0]["text"] == "Hello. Who are you?"


async def test_a_sound_that_was_no_speech_leaves_the_listening_as_it_was() -> None:
    async with scene() as s:
        s.listener.put(WAKE, SpeechStarted(16000), NoWords(20000))
        await s.until("listening")
        await asyncio.sleep(0)
        assert s.notes.states() == ["idle", "listening"]
        s.listener.put(said("hi"))
        await s.until("follow_up")


async def test_an_answer_knows_how_many_were_dropped_before_it() -> None:
    async with scene(ScriptedCharacter(["Hello."])) as s:
        await begins(s, "turn on")
        s.listener.put(GO_ON, likely("turn on the light"), GO_ON, Partial("turn on the light and", 50000))
        await pass_time(0.2)
        s.listener.put(said("turn on the light and dance"))
        await s.until("follow_up")
        s.listener.put(said("thank you"))
        await s.until("follow_up")
        assert [turn.dropped for turn in s.turns] == [2, 0]


async def test_the_second_attempt_is_as_late_as_the_first_made_it() -> None:
    async with scene(FailsOnce(["Hello."])) as s:
        await begins(s)
        s.listener.put(said("how are you"))
        await s.until("follow_up")
        [turn] = s.turns
        assert turn.latency_ms["request"] == pytest.approx(200, abs=10)


async def test_the_pause_before_an_answer_that_is_not_made_ahead_is_part_of_its_time() -> None:
    async with scene(ScriptedCharacter([0.1, "Hello."], thinks_ahead=False)) as s:
        await begins(s)
        s.listener.put(Utterance("how are you", 0.9, 16000, 32000, 34400, 50.0, ended=43200))
        await s.until("follow_up")
        [turn] = s.turns
        assert turn.latency_ms["endpoint"] == 150
        assert turn.latency_ms["allowed"] == pytest.approx(500)
        assert turn.latency_ms["total"] == pytest.approx(800, abs=5)

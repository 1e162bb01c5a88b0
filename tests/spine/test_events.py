"""What a conversation writes into the events file: every event of it, in order, as `docs/events.md` says."""

from __future__ import annotations

from typing import Any

import pytest

from companion.errors import CharacterError, CharacterRefused, DeviceError, SpeechError
from companion.events import Partial, SpeechStarted, Utterance
from tests.support.doubles import ScriptedCharacter, ScriptedVoice, VirtualSpeaker
from tests.support.scene import WAKE, Scene, said, scene

pytestmark = pytest.mark.looptime


def events(s: Scene) -> list[tuple[str, dict[str, Any]]]:
    """Kinds and fields, without the body's pictures, the states and the times."""
    return [(kind, fields) for _, kind, fields in s.notes.notes if kind not in ("body", "state", "turn")]


async def test_a_turn_event_by_event() -> None:
    async with scene(ScriptedCharacter(["(waves) Hello. ", "How are you?"])) as s:
        s.listener.put(WAKE, SpeechStarted(16000), Partial("how", 20000))
        s.listener.put(Utterance("how are you", 0.87654, 17777, 32777, 43200, 12.0))
        await s.until("follow_up")
        assert events(s) == [
            ("wake", {"word": "okay_nabu"}),
            ("speech_started", {}),
            ("partial", {"text": "how"}),
            ("utterance", {"text": "how are you", "confidence": 0.877, "start": 1.111, "end": 2.049}),
            ("request", {}),
            ("first_token", {}),
            ("sentence", {"text": "Hello."}),
            ("sentence", {"text": "How are you?"}),
            ("speaking", {}),
            ("cue", {"emotion": None, "gesture": "wave", "intensity": 0.6, "source": "direction"}),
            ("heard", {"text": "Hello. How are you?", "reason": "finished"}),
        ]
        [turn] = s.turns
        assert (turn.heard_text, turn.reason, turn.line) == ("Hello. How are you?", "finished", "")
        assert [{"latency_ms": turn.latency_ms, "dropped": 0}] == s.notes.of("turn")


async def test_a_cue_has_its_emotion() -> None:
    async with scene(ScriptedCharacter(["(smiles) Hello my friend."])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert s.notes.of("cue") == [{"emotion": "happy", "gesture": None, "intensity": 0.6, "source": "direction"}]


async def test_an_answer_that_does_not_come_and_the_line_that_is_said_instead() -> None:
    async with scene(ScriptedCharacter(["Once upon a time. ", CharacterError("no route")])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert ("error", {"code": "character", "sentence": "no route"}) in events(s)
        assert [fields["reason"] for kind, fields in events(s) if kind == "heard"] == ["offline", "finished"]


async def test_a_refused_answer() -> None:
    async with scene(ScriptedCharacter([CharacterRefused("The key is wrong.", "invalid_api_key")])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert ("error", {"code": "character_refused", "sentence": "The key is wrong."}) in events(s)
        assert [fields["reason"] for kind, fields in events(s) if kind == "heard"] == ["refused", "finished"]


async def test_an_answer_that_takes_too_long() -> None:
    async with scene(voice=ScriptedVoice(hangs=True)) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        sentence = "The reply took too long and was given up."
        assert {"code": "companion", "sentence": sentence} in s.notes.of("error")


async def test_what_is_broken_has_its_code_and_sentence_each_time() -> None:
    """The transcriber, the voice that says so, and the loudspeaker that should play a sound instead."""
    speaker = VirtualSpeaker()
    async with scene(voice=ScriptedVoice(SpeechError("the voice died")), speaker=speaker) as s:
        s.listener.put(WAKE, SpeechStarted(16000))
        await s.until("listening")
        speaker.failure = DeviceError("it was unplugged")
        s.listener.put(SpeechError("the child died"))
        await s.until("follow_up")
        errors = [(fields["code"], fields["sentence"]) for kind, fields in events(s) if kind == "error"]
        assert errors == [
            ("speech", "the child died"),
            ("speech", "the voice died"),
            ("device", "it was unplugged"),
        ]


async def test_the_times_of_a_turn_are_told_with_two_digits_behind_the_point() -> None:
    async with scene(ScriptedCharacter([0.2123456, "Hello my ", 0.1, "friend. And you?"])) as s:
        s.listener.put(WAKE, Utterance("hi", 0.9, 16000, 32000, 43200, 12.3456))
        await s.until("follow_up")
        [turn] = s.notes.of("turn")
        assert turn["latency_ms"] == {
            "endpoint": 700.0,
            "transcribe": 12.35,
            "request": pytest.approx(0, abs=1),
            "first_token": 212.35,
            "first_sentence": pytest.approx(100, abs=1),
            "ready": pytest.approx(0, abs=1),
            "allowed": pytest.approx(0, abs=1),
            "first_sound": pytest.approx(0, abs=1),
            "total": pytest.approx(1024.7, abs=2),
        }

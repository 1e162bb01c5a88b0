"""One conversation on virtual time with doubles all around: what the tests of its rules share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from companion.animator import Animator
from companion.body.timeline import Timeline
from companion.config.persona import Persona, load_persona
from companion.conversation import Conversation
from companion.conversation_rules import ConversationRules
from companion.dialogue import Dialogue
from companion.events import State, TurnEnded, Utterance, WakeHeard
from companion.filler import Fillers
from companion.guardian import Guardian
from companion.ports import Synthesizer
from companion.sound.pcm import earcon
from companion.turn_tools import SecondJudge, TurnTools
from companion.voice.lipsync import mouth_openings, place_cues
from companion.voice.sentences import Sentences
from companion.voice.stage.stage import Stage
from companion.voice_lesson import Teach
from tests.support.doubles import (
    LoopClock,
    RecordedEvents,
    ScriptedCharacter,
    ScriptedListener,
    ScriptedVoice,
    StillPerformer,
    VirtualSpeaker,
)
from tests.support.paths import CONFIGS

PERSONA = load_persona(CONFIGS / "personas" / "teddy.toml")
WAKE = WakeHeard("okay_nabu", 16000)


def said(text: str) -> Utterance:
    """What was said from second 1 to 2 and decided 0.7 s later."""
    return Utterance(text, 0.9, 16000, 32000, 43200, 12.0)


@dataclass
class Scene:
    """One conversation, and everything around it.

    A test puts what is heard into `listener`, waits with `until` for the states that follow, and asks the doubles what
    came of it.
    """

    listener: ScriptedListener
    character: ScriptedCharacter
    voice: ScriptedVoice
    speaker: VirtualSpeaker
    notes: RecordedEvents
    performer: StillPerformer
    conversation: Conversation
    changed: asyncio.Event
    """Set with every change of state."""
    turns: list[TurnEnded]
    """How each turn ended."""
    running: asyncio.Task[None]
    """`Conversation.run`. Awaiting it raises what ended it."""
    passed: int = 0
    """How many states were waited for or passed by."""

    async def until(self, state: str, within_s: float = 60.0) -> None:
        """Go on with the first entry into `state` after the last one waited for.

        Fails where it has not come within so many seconds of virtual time, or where the conversation has ended.
        """
        try:
            async with asyncio.timeout(within_s):
                while state not in self.notes.states()[self.passed :]:
                    if self.running.done():
                        await self.running
                        pytest.fail(f"the conversation ended before it was {state}: {self.notes.states()}")
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            pytest.fail(f"not {state} within {within_s:g} s: {self.notes.states()}, {self.passed} of them passed")
        self.passed += self.notes.states()[self.passed :].index(state) + 1


@asynccontextmanager
async def scene(
    character: ScriptedCharacter | None = None,
    voice: ScriptedVoice | None = None,
    speaker: VirtualSpeaker | None = None,
    persona: Persona = PERSONA,
    voices: Mapping[str, Synthesizer] | None = None,
    spotlight: Callable[[str], None] = lambda _: None,
    filler_after_s: float = 0.0,
    teach: Teach | None = None,
    guardian: Guardian | None = None,
    second_judge: SecondJudge | None = None,
    **settings: Any,
) -> AsyncIterator[Scene]:
    """A conversation that runs until the end of the block; then it hears the end of the sound and must end itself.

    `settings` are those of `ConversationRules`.
    """
    clock = LoopClock()
    notes, performer, listener = RecordedEvents(clock), StillPerformer(), ScriptedListener()
    character, voice = character or ScriptedCharacter(), voice or ScriptedVoice()
    speaker = speaker or VirtualSpeaker()
    animator = Animator(performer, [], clock, notes)
    turns: list[TurnEnded] = []
    tools = TurnTools(
        stage=lambda speaker: Stage(speaker or persona.name),
        sentences=Sentences,
        timeline=Timeline,
        synthesizer=voice,
        voices=voices or {},
        spotlight=spotlight,
        place_cues=place_cues,
        mouth_openings=mouth_openings,
        earcon=earcon,
        speaker=speaker,
        animator=animator,
        clock=clock,
        event_log=notes,
        on_turn=turns.append,
        longest_silence_s=15.0,
        longest_turn_s=30.0,
        fillers=Fillers(persona.lines.filler, filler_after_s),
        guard=None if guardian is None else guardian.watch_answer,
        second_judge=second_judge,
    )
    changed = asyncio.Event()
    dialogue = Dialogue(character, persona, tools, guardian=guardian)
    rules = ConversationRules(**{"nobody_s": 5.0, "follow_up_s": 8.0, "refuses": dialogue.refuses, **settings})

    def state_changed() -> None:
        changed.set()
        if guardian is not None:
            guardian.time_passes(talking=conversation.state not in (None, State.IDLE, State.MUTED))

    conversation = Conversation(listener, dialogue, rules, state_changed, teach)
    running = asyncio.create_task(conversation.run())
    running.add_done_callback(lambda _: changed.set())
    try:
        yield Scene(listener, character, voice, speaker, notes, performer, conversation, changed, turns, running)
        listener.put(None)
        await asyncio.wait_for(running, 60)
    finally:
        running.cancel()

"""The lesson in which somebody teaches the running unit how they call it ("learn my voice"): its part of the talk.

It is one answer that asks and listens in turn. Whoever calls the unit meanwhile answers its question, so wake words and
speech are passed over; what ends an answer ends the lesson too, and then everything is as it was before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from companion.config.persona import Persona
from companion.dialogue import Dialogue
from companion.events import Control, Hearing, LikelyUtterance, State, Utterance, WakeHeard
from companion.languages.enrolment import EnrolmentLines
from companion.languages.language import language
from companion.languages.understood import DEFAULT

Teach = Callable[[str, EnrolmentLines, Callable[[str], Awaitable[None]], Callable[[State], None]], Awaitable[None]]
"""Holds the lesson for the wake word that began the talk: says lines, and shows states. Raises nothing of the house."""


class VoiceLesson:
    """Of one conversation, at most one at a time."""

    def __init__(self, teach: Teach | None) -> None:
        """`teach`: None where there is nothing that could learn."""
        self._teach = teach
        self.runs = False
        self.woken_by = ""
        """The wake word that began this talk."""

    def heeded(self, heard: Hearing, persona: Persona, stop_words: frozenset[str]) -> Hearing | None:
        """What counts of what is heard: all, or while the lesson runs only what ends it, else None."""
        if not self.runs:
            return heard
        match heard:
            case Control(action="mute" | "stop"):
                return heard
            case WakeHeard() if heard.word == "button" or heard.word in stop_words:
                return heard
            case Utterance(text=words) | LikelyUtterance(utterance=Utterance(text=words)):
                return Control("stop") if persona.spoken_command(words) in ("stop", "goodbye") else None
        return None

    async def give(self, dialogue: Dialogue, show: Callable[[State], None]) -> State:
        """Hold the lesson; `show` enters a state of the talk. Returns the one that follows."""
        lines = language(dialogue.persona.language).enrolment or language(DEFAULT).enrolment
        assert lines is not None

        async def say(text: str) -> None:
            await dialogue.say_text(text, State.FOLLOW_UP, lambda: show(State.SPEAKING))

        self.runs = True
        show(State.THINKING)
        try:
            if dialogue.character.is_guest:
                await say(lines.guest)
            elif self._teach is None:
                await say(lines.no_word)
            else:
                await self._teach(self.woken_by, lines, say, show)
        finally:
            self.runs = False
        return State.FOLLOW_UP

"""What one character can say: an answer, one of its own lines, an announcement, or more of what it was saying.

Each is a coroutine that returns the state that follows. `conversation` runs it as a task and cancels it to interrupt.
Whether it was said to its end or not, only what was heard is remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager

from companion.config.device import EndpointSettings
from companion.config.persona import Persona
from companion.ears.echo_words import is_echo
from companion.ears.turn_taking import TurnTaking
from companion.errors import CompanionError, DeviceError, NothingToSay
from companion.events import Control, FirstSign, Hearing, State, Utterance
from companion.floor import Floor
from companion.guardian import Guardian, after
from companion.languages.language import language
from companion.languages.understood import Command, understood
from companion.own_lines import OwnLines
from companion.ports import Character, Synthesizer
from companion.turn import Turn
from companion.turn_tools import TurnTools, WhoseWords

_UNREACHED = ("offline", "busy", "denied", "unpaid")
"""Lines said because the service cannot be used; the body shows that too."""


class Dialogue:
    """One character with its voice and body."""

    def __init__(
        self,
        character: Character | None,
        persona: Persona,
        tools: TurnTools,
        turn_taking: TurnTaking | None = None,
        guardian: Guardian | None = None,
    ) -> None:
        """A `character` that is not there yet is given with `take`; without a `guardian` all may be said."""
        self.guardian = guardian
        self.turn_taking = turn_taking or TurnTaking(
            EndpointSettings(), understood(persona.language), persona.patience, persona.names
        )
        self._character = character
        self._came = asyncio.Event()
        self.persona = persona
        self.tools = tools
        self._own_lines = OwnLines(persona.lines)
        self._opened = False
        self._addressed = ""
        """Who of a group was called by their own wake word, or by name since; empty where nobody in particular was."""
        self._turn: Turn | None = None
        """What is said now, or was said last."""
        self.trouble = ""
        """Why the last answer did not come, as one of `CharacterError.line`; empty where it came."""

    @property
    def character(self) -> Character:
        """Who answers; there once it `is_ready`."""
        assert self._character is not None
        return self._character

    @property
    def is_ready(self) -> bool:
        """Whether the character is there."""
        return self._character is not None

    def take(self, character: Character) -> None:
        """Here is the character."""
        self._character = character
        self._came.set()

    async def ready_for(self, heard: Hearing) -> None:
        """Wait until the character is there, except for what it has no part in."""
        if not self.is_ready and not isinstance(heard, Control | FirstSign):
            await self._came.wait()

    def address(self, name: str) -> None:
        """This one of a group answers until another one is called; empty or unknown: whoever usually does."""
        self._addressed = name if name in self.persona.names else ""

    async def prepare_speaker(self) -> None:
        """Wake up the loudspeaker because an answer follows soon."""
        try:
            await self.tools.speaker.prepare()
        except DeviceError as error:
            self.tools.event_log.record("error", code=error.code, sentence=str(error))

    def pause_after(self, words: str) -> float:
        """Seconds of silence behind these words after which the person who speaks now has finished."""
        if self.is_ready:
            self.turn_taking.learned = self.character.learned_pause
        return self.turn_taking.pause_after(words)

    def pending_opening(self) -> str:
        """The opening line where it is still to be said; else empty."""
        return "" if self._opened else self.character.opening()

    def may_think_ahead(self, said: str) -> bool:
        """Whether the answer to this may be made before it is sure that this is all."""
        if self.refuses() or (self.guardian is not None and self.guardian.answers_itself(said)):
            return False
        return self.command(said) is None and self.character.may_think_ahead(said)

    def refuses(self) -> bool:
        """Whether no talk may begin, or go on, now."""
        return self.guardian is not None and bool(self.guardian.refuses())

    def command(self, said: str) -> Command | None:
        """The command to the device that these words are, if they are one."""
        leaves = self.guardian is not None and self.guardian.leaves(said)
        return self.persona.spoken_command(said) or ("goodbye" if leaves else None)

    def interrupts(self, words: str) -> bool:
        """Whether these words, heard over an answer, are more than its echo or what people put in as they listen."""
        if self.command(words) is not None:
            # Obeyed even where the answer has the same words.
            return True
        spoken = "" if self._turn is None else self._turn.spoken()
        return self.turn_taking.interrupts(words) and not is_echo(words, spoken)

    async def say_opening(self, line: str, on_first_sound: Callable[[], None]) -> State:
        """Say the opening line; then it is the person's turn."""
        self._opened = True
        truth = self._truth("")
        state = await self.say_text(f"{truth} {line}".strip(), State.LISTENING, on_first_sound)
        self._note_told(truth)
        return state

    async def reply(
        self,
        utterance: Utterance,
        answer: AsyncGenerator[str] | None,
        on_first_sound: Callable[[], None],
        floor: Floor | None = None,
    ) -> State:
        """Answer what was said; in a group, one after the other. `answer` takes the place of asking the character.

        Where the `floor` is withdrawn nothing of it is remembered.
        """
        floor = floor or Floor(given=True)
        said = utterance.text
        # Somebody in danger is answered whatever the time is.
        if self.guardian is not None and (line := self.guardian.instead_of_answer(said)):
            return await self.say_text(line, State.FOLLOW_UP, on_first_sound)
        if floor.was_given and (line := self._ending()):
            return await self.say_text(line, State.IDLE, on_first_sound)
        if answer is None and said and (line := await self.character.ask_speaker(said)):
            return await self.say_text(line, State.FOLLOW_UP, on_first_sound)
        heard = ""
        speakers = self.character.speakers(said, self._addressed)
        truth, person = self._truth(said), self.character.person
        for speaker in speakers:
            # Nobody waited for the second of a group since the person spoke.
            waited_for = utterance if said else None
            deltas = after(truth, self._deltas(utterance, speaker, answer, floor))
            turn = self._begin(deltas, on_first_sound, waited_for, speaker, floor)
            try:
                ended = await turn.run()
                if turn.failed_early:
                    # It failed before anybody waited for it, so there is time to ask once more.
                    await floor.wait()
                    deltas = after(truth, self._deltas(utterance, speaker, answer, floor))
                    turn = self._begin(deltas, on_first_sound, waited_for, speaker, floor, turn.began)
                    ended = await turn.run()
            finally:
                if said:
                    self._learn_from(floor, turn.heard)
                if floor.counts:
                    self._addressed = self._addressed and speakers[0]
                    self.turn_taking.heard(turn.heard)
                if floor.counts and (said or turn.heard):
                    self._opened = True
                    self.character.remember(said, turn.heard, speaker)
                self._note_told(truth, person)
            said = truth = ""
            self.trouble = ended.line
            if ended.reason != "finished":
                then = State.IDLE if ended.line == "spent" else State.FOLLOW_UP
                return await self.say_line(ended.line, then, on_first_sound)
            heard += turn.heard
            if answer is not None:
                break
        if not heard:
            error = NothingToSay()
            self.tools.event_log.record("error", code=error.code, sentence=str(error))
            return await self.say_line(error.line, State.FOLLOW_UP, on_first_sound)
        ending = self._ending()
        return await self.say_text(ending, State.IDLE if ending else State.FOLLOW_UP, on_first_sound)

    def _ending(self) -> str:
        """What is said where the time of talk is over; empty where it goes on."""
        return "" if self.guardian is None else self.guardian.ending()

    def _truth(self, said: str) -> str:
        """What is said of what it is before the next words; empty where nothing is."""
        return "" if self.guardian is None else self.guardian.truth(said, self.character.person)

    def _note_told(self, truth: str, person: str | None = None) -> None:
        """Note where the last turn said the `truth` to its end."""
        if self.guardian is None or not truth or self._turn is None:
            return
        stage = self.tools.stage("")
        pieces = [piece for piece in (*stage.feed(truth), *stage.close()) if isinstance(piece, str)]
        if len(self._turn.heard) >= len("".join(pieces).strip()):
            self.guardian.note_told(self.character.person if person is None else person)

    def _learn_from(self, floor: Floor, heard: str) -> None:
        """Whether the pause before this answer was long enough for the person."""
        self.turn_taking.learned = self.character.learned_pause
        if floor.withdrawn and floor.was_given:
            self.turn_taking.went_on()
        elif floor.counts and heard:
            self.turn_taking.was_over()
        else:
            return
        self.character.learn_pause(self.turn_taking.learned)

    def _begin(
        self,
        deltas: AsyncGenerator[str],
        on_first_sound: Callable[[], None],
        utterance: Utterance | None = None,
        speaker: str = "",
        floor: Floor | None = None,
        began: float | None = None,
        *,
        guarded: WhoseWords | None = "answer",
    ) -> Turn:
        self._turn = Turn(self.tools, deltas, on_first_sound, utterance, speaker, floor, began, guarded=guarded)
        return self._turn

    def _deltas(
        self, utterance: Utterance, speaker: str, answer: AsyncGenerator[str] | None, floor: Floor
    ) -> AsyncGenerator[str]:
        return self.character.reply(utterance.text, speaker, floor) if answer is None else answer

    async def continue_speaking(self, on_first_sound: Callable[[], None]) -> State:
        """Go on speaking though nobody answered. Where that fails nothing is said about it."""
        turn = self._begin(self.character.continue_speaking(), on_first_sound)
        try:
            ended = await turn.run()
        finally:
            if turn.heard:
                self.turn_taking.heard(turn.heard)
                self.character.remember("", turn.heard)
        return State.FOLLOW_UP if ended.reason == "finished" else State.IDLE

    async def say_line(self, name: str, then: State, on_first_sound: Callable[[], None]) -> State:
        """Say one of the persona's own lines."""
        if name in _UNREACHED:
            self.tools.animator.show_state("offline")
        if name == "goodbye" and self.is_ready:
            self.character.leave()
        return await self.say_text(self._own_lines.next(name), then, on_first_sound, self._addressed)

    async def say_why_not(self, on_first_sound: Callable[[], None]) -> State:
        """Say why it does not listen: what the guardian says, or that this unit understands no speech."""
        refusal = "" if self.guardian is None else self.guardian.refusal()
        line = refusal or self._own_lines.next("cannot_hear") or language(self.persona.language).general.cannot_hear
        return await self.say_text(line, State.IDLE, on_first_sound)

    async def say_text(
        self,
        text: str,
        then: State,
        on_first_sound: Callable[[], None],
        speaker: str = "",
        *,
        guarded: bool = False,
    ) -> State:
        """Say a text as it stands; nothing where it is empty. `speaker`: with whose voice in a group.

        The persona's own lines were examined before the start; words of others are to be `guarded`.
        """
        if text:
            whose: WhoseWords | None = "announcement" if guarded else None
            turn = self._begin(_one(text), on_first_sound, speaker=speaker, guarded=whose)
            try:
                ended = await turn.run()
            finally:
                self.turn_taking.heard(turn.heard)
            if ended.reason == "failed":
                await self._play_earcon()
        return then

    async def _play_earcon(self) -> None:
        """The voice itself failed: play a sound, so that the person knows that something was meant to be said."""
        speaker = self.tools.speaker
        try:
            await speaker.write(self.tools.earcon(speaker.rate))
            await speaker.drain()
        except DeviceError as error:
            self.tools.event_log.record("error", code=error.code, sentence=str(error))


async def _one(text: str) -> AsyncGenerator[str]:
    yield text


OpenDialogue = Callable[[Persona, Synthesizer | None], AbstractAsyncContextManager[Dialogue]]
"""Builds a persona's dialogue and closes it again on exit; the voice is given where it was built before."""


class Dialogues:
    """The dialogues of one device: the one that speaks now, and for a moment the one that takes over from it.

    Each lives in a task of its own, because what is opened in a task must be closed in the same one.
    """

    def __init__(self, open_dialogue: OpenDialogue, group: asyncio.TaskGroup) -> None:
        self._open_dialogue = open_dialogue
        self._group = group
        self._closing: dict[Dialogue, asyncio.Event] = {}

    async def open(self, persona: Persona, voice: Synthesizer | None = None) -> Dialogue:
        """Open everything that a persona needs. Raises what is wrong with it; then nothing is left open."""
        ready: asyncio.Future[Dialogue] = asyncio.get_running_loop().create_future()
        self._group.create_task(self._keep_open(persona, voice, ready))
        return await ready

    def close(self, dialogue: Dialogue) -> None:
        """Close what belongs to this dialogue."""
        self._closing[dialogue].set()

    def close_all(self) -> None:
        """Close what belongs to every dialogue."""
        for closing in self._closing.values():
            closing.set()

    async def _keep_open(self, persona: Persona, voice: Synthesizer | None, ready: asyncio.Future[Dialogue]) -> None:
        try:
            async with self._open_dialogue(persona, voice) as dialogue:
                closing = self._closing[dialogue] = asyncio.Event()
                if ready.cancelled():
                    return
                ready.set_result(dialogue)
                try:
                    await closing.wait()
                finally:
                    del self._closing[dialogue]
        except CompanionError as error:
            if ready.done():
                raise
            ready.set_exception(error)

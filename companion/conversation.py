"""Who may speak now: the one state machine.

Rule 1  There is one state at a time. Only `_enter` changes it, and every change is journalled and shown by the body.
Rule 2  IDLE: only the wake word (or the button) is listened for; in open mode, words.
Rule 3  A wake leads to LISTENING from every state but MUTED. If a turn is running it is interrupted first: silence,
        then everything else; only what was heard is remembered.
Rule 4  LISTENING: an utterance leads to THINKING; nobody speaking leads to IDLE. On the first wake of a new session
        a short silence is enough for the character to say its opening line, which leads back to LISTENING.
Rule 5  THINKING leads to SPEAKING with the first sound of the answer.
Rule 6  The end of a turn leads to FOLLOW_UP, where no wake word is needed; after a goodbye, or where follow-up is off,
        to IDLE. FOLLOW_UP: speech leads to LISTENING; nobody speaking leads to IDLE.
Rule 7  A spoken "stop" or "goodbye" ends the talk; it is never put to the character.
Rule 8  Muting leads to MUTED from every state, and a running turn is interrupted. Nothing is listened to, kept,
        examined or said until unmuting leads to IDLE.
Rule 9  No state can stick: LISTENING and FOLLOW_UP are bounded by the segmenter in audio time, THINKING and SPEAKING
        by the turn's longest time; a lost microphone leads to IDLE until it is back.
Rule 10 Where the owner wants it, the character speaks on by itself when a silence behind its answer has grown long:
        from FOLLOW_UP or IDLE only, so many times until somebody speaks, never in quiet hours.
Rule 11 A new persona, and what `companion control say` asks for, wait until nobody speaks.

All inputs arrive one after the other through the listener, so no two of them can be half done at once.

When a device listens and speaks: what the conversation takes from the settings.

Hours of the day, as the settings files write them: `20:00-07:00`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import time

from companion.dialogue import Talk
from companion.ears.listener import Attention, Listener
from companion.errors import CompanionError, DeviceError, SpeechError
from companion.events import (
    EAR_RATE,
    Control,
    Hearing,
    NobodySpoke,
    Partial,
    SpeechStarted,
    State,
    Utterance,
    WakeHeard,
)
from companion.languages.commands import spoken_command


@dataclass(frozen=True)
class Manners:
    """When the device listens and speaks. All times are seconds of audio time."""

    nobody_s: float
    """LISTENING ends after this much silence."""
    follow_up_s: float
    """How long FOLLOW_UP lasts; 0: there is none."""
    always_open: bool = False
    """Whether words are listened for at rest too."""
    opening_after_s: float = 2.0
    continue_after_s: float = 0.0
    """0: the character never speaks by itself."""
    continue_most: int = 2
    may_speak_first: Callable[[], bool] = lambda: True
    """Whether it is not quiet hours."""
    reopens: bool = True
    """Whether a lost microphone may come back; where it may not, `run` raises its `DeviceError`."""


_AT_WORK = (State.THINKING, State.SPEAKING)


class Conversation:
    """One device's talk with whoever is there. `run` it once; it ends only when the microphone's file ends."""

    def __init__(
        self, listener: Listener, talk: Talk, manners: Manners, on_change: Callable[[], None] = lambda: None
    ) -> None:
        """`on_change` is called after every change of state."""
        self._listener = listener
        self._manners = manners
        self._on_change = on_change
        self._at_rest = Attention.WORDS() if manners.always_open else Attention.WAKE
        self._turn: asyncio.Task[None] | None = None
        self._silence: asyncio.Task[None] | None = None
        """Waits for the silence in which the character speaks on."""
        self._continued = 0
        self._to_say: deque[str] = deque()
        self._next: tuple[Talk, asyncio.Future[Talk]] | None = None
        self._group: asyncio.TaskGroup
        self.state: State | None = None
        self.talk = talk
        self._journal = talk.tools.journal

    @property
    def at_work(self) -> bool:
        """Whether an answer is being made or said."""
        return self.state in _AT_WORK

    @property
    def waiting(self) -> int:
        """How many announcements wait until nobody speaks."""
        return len(self._to_say)

    async def change(self, talk: Talk) -> Talk:
        """Be somebody else from the next moment on in which nobody speaks. Returns, then, who it was before."""
        before: asyncio.Future[Talk] = asyncio.get_running_loop().create_future()
        self._next = talk, before
        self._listener.interject(Control("reload"))
        return await before

    async def run(self) -> None:
        """Listen and answer until the sound ends."""
        async with asyncio.TaskGroup() as self._group:
            self._rest()
            back_off, told = _back_off(), ""
            while True:
                try:
                    async for heard in self._listener.hear():
                        back_off, told = _back_off(), ""
                        await self._handle(heard)
                    break
                except SpeechError as error:
                    self._note_error(error)
                    if self.state is not State.MUTED:
                        await self._interrupt()
                        self._say("failed", State.FOLLOW_UP)
                except DeviceError as error:
                    # Said once, however often it is tried again.
                    if str(error) != told:
                        self._note_error(error)
                    told = str(error)
                    if not self._manners.reopens:
                        raise
                    if self.state in (State.LISTENING, State.FOLLOW_UP):
                        self._rest()
                    await asyncio.sleep(next(back_off))
            await self._interrupt()
            self._do_not_wait()

    async def _handle(self, heard: Hearing) -> None:
        match heard:
            case Control(action="mute"):
                await self._interrupt()
                self._enter(State.MUTED, Attention.NOTHING)
            case Control(action="unmute"):
                if self.state is State.MUTED:
                    self._rest()
            case Control(action="reload"):
                if self._turn is None:
                    self._change()
            case _ if self.state is State.MUTED:
                pass
            case Control(action="stop"):
                await self._interrupt()
                self._do_not_wait()
                self._rest()
            case Control(action="say"):
                self._to_say.append(heard.text)
                if self.state in (State.IDLE, State.FOLLOW_UP):
                    self._say_what_waits()
            case Control(action="continue"):
                if self.state in (State.IDLE, State.FOLLOW_UP) and self._manners.may_speak_first():
                    self._continued += 1
                    self._start(lambda: self.talk.carry_on(self._speaking))
            case WakeHeard():
                self._journal.note("wake", word=heard.word)
                await self._interrupt()
                wait = self._manners.opening_after_s if self.talk.opening() else self._manners.nobody_s
                self._enter(State.LISTENING, Attention.WORDS(wait))
                self._get_ready()
            case SpeechStarted():
                self._journal.note("speech_started")
                if self.state is not State.LISTENING:
                    self._enter(State.LISTENING)
                    self._get_ready()
            case Partial():
                self._journal.note("partial", text=heard.text)
            case Utterance():
                self._answer(heard)
            case NobodySpoke():
                if self.state is State.LISTENING and (line := self.talk.opening()):
                    self._start(lambda: self.talk.open(line, self._speaking))
                else:
                    self._rest()

    def _answer(self, utterance: Utterance) -> None:
        self._journal.note(
            "utterance",
            text=utterance.text,
            confidence=round(utterance.confidence, 3),
            start=round(utterance.start / EAR_RATE, 3),
            end=round(utterance.end / EAR_RATE, 3),
        )
        self._continued = 0
        talk = self.talk
        match spoken_command(utterance.text, talk.persona):
            case "stop":
                self._rest()
            case "goodbye":
                self._say("goodbye", State.IDLE)
            case "guest":
                talk.character.be_guest()
                self._say("guest", State.FOLLOW_UP)
            case "again" if (answer := talk.character.again()) is not None:
                self._start(lambda: talk.reply(utterance, answer, self._speaking))
            case _:
                self._start(lambda: talk.reply(utterance, None, self._speaking))

    def _start(self, say: Callable[[], Coroutine[None, None, State]]) -> None:
        """An answer will be said soon: a loudspeaker that fell asleep during long speech wakes up meanwhile."""
        self._enter(State.THINKING, Attention.WAKE)
        self._group.create_task(self._prepare_speaker())
        self._turn = self._group.create_task(self._say_to_the_end(say))

    async def _say_to_the_end(self, say: Callable[[], Coroutine[None, None, State]]) -> None:
        self._turn_over(await say())

    def _say(self, line: str, then: State) -> None:
        """Say one of the persona's own lines."""
        self._start(lambda: self.talk.line(line, then, self._speaking))

    def _speaking(self) -> None:
        self._enter(State.SPEAKING)

    def _turn_over(self, then: State) -> None:
        self._turn = None
        self._change()
        if then is State.LISTENING:
            self._enter(State.LISTENING, Attention.WORDS(self._manners.nobody_s))
        elif then is State.FOLLOW_UP and self._manners.follow_up_s > 0:
            self._enter(State.FOLLOW_UP, Attention.WORDS(self._manners.follow_up_s))
            self._wait_in_silence()
        else:
            self._rest()
        self._say_what_waits()

    def _say_what_waits(self) -> None:
        if self._to_say:
            text = self._to_say.popleft()
            self._start(lambda: self.talk.text(text, State.FOLLOW_UP, self._speaking))

    def _change(self) -> None:
        """Be the one whom `change` named, if it did."""
        if self._next is not None:
            (talk, before), self._next = self._next, None
            self.talk, left = talk, self.talk
            if not before.done():
                before.set_result(left)

    def _rest(self) -> None:
        self._enter(State.IDLE, self._at_rest)

    def _wait_in_silence(self) -> None:
        manners = self._manners
        if manners.continue_after_s > 0 and self._continued < manners.continue_most:
            self._silence = self._group.create_task(self._silence_grows())

    async def _silence_grows(self) -> None:
        await self.talk.tools.clock.sleep(self._manners.continue_after_s)
        self._silence = None
        self._listener.interject(Control("continue"))

    def _do_not_wait(self) -> None:
        """Somebody did something: the silence is over."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    async def _interrupt(self) -> None:
        """Barge-in: the loudspeaker falls silent before anything else is done."""
        turn, self._turn = self._turn, None
        if turn is not None:
            self.talk.tools.speaker.flush()
            turn.cancel()
            await asyncio.wait([turn])

    def _get_ready(self) -> None:
        """Somebody is about to speak: open the connection and the loudspeaker meanwhile."""
        self._group.create_task(self.talk.character.prepare())
        self._group.create_task(self._prepare_speaker())

    async def _prepare_speaker(self) -> None:
        try:
            await self.talk.tools.speaker.prepare()
        except DeviceError as error:
            self._note_error(error)

    def _note_error(self, error: CompanionError) -> None:
        self._journal.note("error", code=error.code, sentence=str(error))

    def _enter(self, state: State, attention: Attention | None = None) -> None:
        if attention is not None:
            self._listener.listen_for(attention)
        if state not in (State.IDLE, State.FOLLOW_UP):
            self._do_not_wait()
        if state is not self.state:
            self.state = state
            self._journal.note("state", state=state.value)
            self.talk.tools.animator.state(state.value)
            self._on_change()


def _back_off() -> Iterator[float]:
    """Seconds between attempts to reopen a lost microphone."""
    return itertools.chain((0.25, 0.5, 1.0), itertools.repeat(2.0))


def within(hours: str, now: time) -> bool:
    """Whether `now` lies in `hours` (the end does not); hours may go over midnight. Empty hours hold no time."""
    if not hours:
        return False
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    moment = now.replace(tzinfo=None)
    return start <= moment < end if start <= end else moment >= start or moment < end

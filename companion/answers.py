"""The answer that is being given, and the one that is made ahead while the person may still be speaking.

An answer is a task with a floor. The one that is made ahead becomes the one that is given when the person turns out to
have finished with the same words, and is dropped when they go on: then nobody heard it, and it is asked for anew. One
that is being given can be held for a moment, go on where it was, or be stopped. Stopped by words that began before it
or soon after it had begun, it is taken back: it counts as never given, and what was said before and after it is one.

Everything runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace

from companion.events import FirstSign, State, Utterance
from companion.floor import Floor
from companion.languages.understood import joined
from companion.turn_tools import TurnTools

Say = Callable[[Floor], Coroutine[None, None, State]]
"""Says something once it has the floor; returns the state that follows."""


@dataclass(eq=False)
class Answer:
    """One answer, or one of the character's own lines."""

    task: asyncio.Task[None]
    floor: Floor
    answers: Utterance | None = None
    """What it answers; None for a line of the character's own."""
    began: float | None = None
    """When its first sound was heard, in audio time."""
    held_early: bool = False
    """Whether the speech that holds it takes it back, if it turns out to be words."""


class Answers:
    """At most one that is given, and one ahead of it."""

    def __init__(
        self,
        tools: TurnTools,
        take_back_s: float,
        on_end: Callable[[State], None],
        on_filler: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_end` is told the state that follows an answer. `take_back_s` counts from the first sound.

        `on_filler` is called before something is said while the answer is not there yet.
        """
        self._tools = tools
        self._take_back_s = take_back_s
        self._on_end = on_end
        self._on_filler = on_filler
        self._group: asyncio.TaskGroup
        self._before: Utterance | None = None
        """What was said before the words that took its answer back."""
        self._dropped = 0
        """Answers that were made ahead and dropped since the last one that was given."""
        self.current: Answer | None = None
        self.ahead: Answer | None = None

    def use(self, group: asyncio.TaskGroup) -> None:
        """Start answers in this group from now on."""
        self._group = group

    def start(self, say: Say, answers: Utterance | None = None) -> None:
        """Say something now."""
        self._before = None
        floor = Floor(given=True, on_filler=self._on_filler)
        if answers is not None:
            self._count_dropped(floor)
        self.current = self._make(say, floor, answers)

    def make_ahead(self, say: Say, answers: Utterance) -> None:
        """Begin to make an answer that may not be heard yet."""
        self.ahead = self._make(say, Floor(on_filler=self._on_filler), answers)

    def is_ahead(self, words: str) -> bool:
        """Whether the answer to just these words is being made."""
        return self.ahead is not None and self.ahead.answers is not None and self.ahead.answers.text == words

    def give_ahead(self) -> None:
        """The person had finished: give the answer that was made ahead."""
        self._before = None
        self.current, self.ahead = self.ahead, None
        if self.current is not None:
            self._count_dropped(self.current.floor)
            self.current.floor.give()

    async def drop_ahead(self) -> None:
        """End the answer that is made ahead, if there is one: nothing of it was heard."""
        answer, self.ahead = self.ahead, None
        if answer is not None:
            answer.floor.withdraw()
            await _end(answer.task)
            self._dropped += 1
            self._tools.event_log.record("dropped")

    def whole(self, utterance: Utterance | None) -> Utterance | None:
        """The utterance with what was said before it, if that had its answer taken back."""
        before = self._before
        if before is None or utterance is None:
            return utterance or before
        return replace(utterance, text=joined(before.text, utterance.text), start=before.start)

    def note_first_sound(self) -> None:
        """The first sound of the answer is heard."""
        if self.current is not None and self.current.began is None:
            self.current.began = self._tools.clock.now()

    def hold(self, *, duck: bool) -> None:
        """Somebody may be speaking: fall silent where the answer is, or only quieter."""
        answer = self.current
        if answer is None:
            return
        answer.held_early = answer.began is None or self._tools.clock.now() - answer.began <= self._take_back_s
        if duck:
            answer.floor.give()
            self._tools.speaker.duck()
        else:
            answer.floor.hold()
            self._tools.speaker.pause()

    def heed(self, sign: FirstSign) -> None:
        """Be quieter where somebody may begin to speak, and silent for the wake word, until it is known."""
        if sign.of == "nothing":
            self.go_on()
        else:
            self.hold(duck=sign.of == "speech")

    def go_on(self) -> None:
        """Nobody was speaking, or said nothing that an answer stops for."""
        if self.current is not None:
            self._tools.speaker.resume()
            self.current.floor.give()

    async def stop_for_words(self) -> None:
        """Stop the answer that is held, for words that were said over it; early ones take it back."""
        answer = self.current
        taken_back = answer.answers if answer is not None and answer.held_early else None
        if answer is not None and taken_back is not None:
            answer.floor.withdraw()
        await self.end()
        self._before = taken_back

    async def end(self) -> None:
        """End the answer that is given: the loudspeaker falls silent before anything else is done."""
        self._before = None
        answer, self.current = self.current, None
        if answer is not None:
            self._tools.speaker.flush()
            await _end(answer.task)

    def _count_dropped(self, floor: Floor) -> None:
        floor.dropped, self._dropped = self._dropped, 0

    def _make(self, say: Say, floor: Floor, answers: Utterance | None) -> Answer:
        return Answer(self._group.create_task(self._run(say, floor)), floor, answers)

    async def _run(self, say: Say, floor: Floor) -> None:
        then = await say(floor)
        self.current = None
        self._on_end(then)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])

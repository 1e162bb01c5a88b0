"""One reply, from text deltas to moved air: think -> synthesize -> speak -> animate.

Four tasks joined by bounded queues: a stage that is ahead waits. The reply ends when all of it was heard, or when the
turn is cancelled, which silences the loudspeaker. Either way `heard` holds what came out of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from companion.animator import Animator
from companion.errors import CharacterError, CharacterRefused, CompanionError
from companion.event_log import EventLog
from companion.events import EAR_RATE, Cue, EndReason, PlacedCue, Sentence, SpeechChunk, TurnEnded, Utterance, Voiced
from companion.ports import Clock, Speaker, Synthesizer


class Stage(Protocol):
    """`companion.voice.stage.stage`: text deltas in, clean text and cues out."""

    def feed(self, delta: str) -> list[str | Cue]: ...
    def close(self) -> list[str | Cue]: ...


class Sentences(Protocol):
    """`companion.voice.sentences`: clean text and cues in, sentences out."""

    def feed(self, piece: str | Cue) -> list[Sentence]: ...
    def pause(self) -> list[Sentence]: ...
    def close(self) -> list[Sentence]: ...


class Timeline(Protocol):
    """`companion.body.timeline`: what is due at a position of the loudspeaker."""

    def add(self, start: int, chunk: SpeechChunk) -> None: ...
    def due(self, position: int) -> list[Cue]: ...
    def mouth(self, position: int) -> float: ...
    def next_check_s(self, position: int, rate: int) -> float: ...
    def heard_text(self, position: int) -> str: ...


@dataclass(frozen=True)
class TurnTools:
    """What every turn works with; made once, in `app`."""

    stage: Callable[[str], Stage]
    """Who speaks (empty outside of groups) -> a stage for one answer."""
    sentences: Callable[[], Sentences]
    timeline: Callable[[], Timeline]
    synthesizer: Synthesizer
    voices: Mapping[str, Synthesizer]
    """In a group: the voices of those who do not speak with `synthesizer`, by name. All have its rate."""
    spotlight: Callable[[str], None]
    """Told who speaks, before they do."""
    place: Callable[[Sentence, Voiced, int], tuple[PlacedCue, ...]]
    """Sentence, its sound and rate -> where its cues are due."""
    mouth: Callable[[Voiced, int], tuple[float, ...]]
    """Sound and rate -> mouth openings."""
    earcon: Callable[[int], bytes]
    """Rate -> the sound that stands for "I could not say that"."""
    speaker: Speaker
    animator: Animator
    clock: Clock
    event_log: EventLog
    on_turn: Callable[[TurnEnded], None]
    """Told how each turn ended, once it is over."""
    silent_s: float
    """A turn from which nothing was heard by then is given up, whatever hangs (loop time)."""
    longest_s: float
    """One that speaks is given up this long after its first sound."""


class Turn:
    """One reply. `run` it once."""

    def __init__(
        self,
        tools: TurnTools,
        answer: AsyncGenerator[str],
        on_first_sound: Callable[[], None],
        utterance: Utterance | None = None,
        speaker: str = "",
    ) -> None:
        """`answer` is what to say, as text deltas; `utterance` is what it answers, where somebody spoke.

        `speaker` is who says it, in a group.
        """
        self._tools = tools
        self._voice = tools.voices.get(speaker, tools.synthesizer)
        self._speaker_name = speaker
        self._answer = answer
        self._on_first_sound = on_first_sound
        self._timeline = tools.timeline()
        self._sentences: asyncio.Queue[Sentence | None] = asyncio.Queue(8)
        self._speech: asyncio.Queue[SpeechChunk | None] = asyncio.Queue(2)
        self._reason: EndReason = "interrupted"
        self._line = ""
        self._latency: dict[str, float] = {}
        if utterance is not None:
            self._latency["endpoint"] = (utterance.decided - utterance.end) / EAR_RATE * 1000
            self._latency["transcribe"] = utterance.transcribed_ms
        self.heard = ""
        """What came out of the loudspeaker, once `run` has returned or was cancelled."""
        self._patience: asyncio.Timeout
        self._stage_began = asyncio.get_running_loop().time()

    async def run(self) -> TurnEnded:
        """Give the reply and return with the last sound heard. Cancelling it silences the loudspeaker."""
        failure: CompanionError | None = None
        try:
            async with asyncio.timeout(self._tools.silent_s) as self._patience, asyncio.TaskGroup() as group:
                group.create_task(self._think())
                group.create_task(self._synthesize())
                animation = group.create_task(self._animate())
                await self._speak()
                animation.cancel()
            if self._reason == "interrupted":
                self._reason = "finished"
        except* CompanionError as errors:
            failure = next(one for one in errors.exceptions if isinstance(one, CompanionError))
        except* TimeoutError:
            failure = CompanionError("The reply took too long and was given up.")
        finally:
            if failure is not None:
                self._reason = self._line = "failed"
                self._note_error(failure)
            ended = self._finish()
        return ended

    async def _think(self) -> None:
        """Text deltas -> sentences. What came before a failure is still said."""
        stage, sentences = self._tools.stage(self._speaker_name), self._tools.sentences()
        self._tools.event_log.record("request")
        self._passed("request")
        try:
            async with aclosing(self._answer) as deltas:
                async for delta in deltas:
                    if self._passed("first_token"):
                        self._tools.event_log.record("first_token")
                    for piece in stage.feed(delta):
                        await self._put(sentences.feed(piece))
                    await self._put(sentences.pause())
        except CharacterError as error:
            self._reason = "refused" if isinstance(error, CharacterRefused) else "offline"
            self._line = error.line
            self._note_error(error)
        for piece in stage.close():
            await self._put(sentences.feed(piece))
        await self._put(sentences.close())
        await self._sentences.put(None)

    async def _put(self, sentences: list[Sentence]) -> None:
        for sentence in sentences:
            self._passed("first_sentence")
            self._tools.event_log.record("sentence", text=sentence.text)
            await self._sentences.put(sentence)

    async def _synthesize(self) -> None:
        """Sentences -> sound, each with its cues and mouth openings."""
        voice = self._voice
        while (sentence := await self._sentences.get()) is not None:
            voiced = await voice.synthesize(sentence.text) if sentence.text else Voiced(b"")
            cues = self._tools.place(sentence, voiced, voice.rate)
            mouth = self._tools.mouth(voiced, voice.rate)
            await self._speech.put(SpeechChunk(voiced.pcm, voice.rate, sentence.text, cues, mouth))
        await self._speech.put(None)

    async def _speak(self) -> None:
        """Sound -> the loudspeaker, without a gap, until the last of it was heard."""
        speaker = self._tools.speaker
        while (chunk := await self._speech.get()) is not None:
            self._timeline.add(await speaker.write(chunk.pcm), chunk)
            if chunk.pcm and self._passed("first_sound"):
                self._tools.event_log.record("speaking")
                self._tools.spotlight(self._speaker_name)
                self._patience.reschedule(asyncio.get_running_loop().time() + self._tools.longest_s)
                self._on_first_sound()
        await speaker.drain()
        self._act(speaker.position())

    async def _animate(self) -> None:
        """The loudspeaker's position -> cues and mouth."""
        while True:
            position = self._tools.speaker.position()
            self._act(position)
            await self._tools.clock.sleep(self._timeline.next_check_s(position, self._tools.speaker.rate))

    def _act(self, position: int) -> None:
        # A direction and an emoji beside it may mean the same: it is done once.
        for cue in {(cue.emotion, cue.gesture): cue for cue in self._timeline.due(position)}.values():
            self._tools.event_log.record(
                "cue", emotion=cue.emotion, gesture=cue.gesture, intensity=cue.intensity, source=cue.source
            )
            self._tools.animator.play_cue(cue)
        self._tools.animator.set_mouth(self._timeline.mouth(position))

    def _passed(self, stage: str) -> bool:
        """Note how long a stage took, the first time it is passed."""
        if stage in self._latency:
            return False
        now = asyncio.get_running_loop().time()
        self._latency[stage] = (now - self._stage_began) * 1000
        self._stage_began = now
        return True

    def _note_error(self, error: CompanionError) -> None:
        self._tools.event_log.record("error", code=error.code, sentence=str(error))

    def _finish(self) -> TurnEnded:
        """Silence, a body at rest, and the truth about what was heard."""
        self.heard = self._timeline.heard_text(self._tools.speaker.flush())
        if self._reason == "interrupted":
            self._tools.animator.relax()
        self._tools.animator.set_mouth(0.0)
        latency = {stage: round(ms, 2) for stage, ms in self._latency.items()}
        if "first_sound" in latency:
            latency["total"] = round(sum(latency.values()), 2)
        self._tools.event_log.record("heard", text=self.heard, reason=self._reason)
        self._tools.event_log.record("turn", latency_ms=latency)
        ended = TurnEnded(self.heard, self._reason, self._line, latency)
        self._tools.on_turn(ended)
        return ended

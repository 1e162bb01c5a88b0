"""One turn: a reply from text deltas to audible speech. Think -> synthesize -> speak -> animate.

These are four tasks joined by bounded queues, so a stage that is ahead waits. All but the loudspeaker work before the
person has finished; it waits for the floor. What happens before that is recorded once the floor is given, with the time
when it happened, and never where it is not. The turn ends when the whole reply has
been heard, or when it is cancelled, which silences the loudspeaker. In both cases `heard` then holds the text that came
out of the loudspeaker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

from companion.errors import CharacterError, CharacterRefused, CompanionError, DeviceError, SpeechError
from companion.event_log import Kind
from companion.events import (
    EAR_RATE,
    EndReason,
    Sentence,
    SpeechChunk,
    SynthesizedSpeech,
    TurnEnded,
    Utterance,
)
from companion.filler import Fillers
from companion.floor import Floor
from companion.turn_tools import TurnTools, WhoseWords

_PIECE = 500
"""Characters of the answer that are read at once."""


class Turn:
    """One reply. Call `run` once."""

    def __init__(
        self,
        tools: TurnTools,
        answer: AsyncGenerator[str],
        on_first_sound: Callable[[], None],
        utterance: Utterance | None = None,
        speaker: str = "",
        floor: Floor | None = None,
        began: float | None = None,
        *,
        guarded: WhoseWords | None = "answer",
    ) -> None:
        """`answer` yields the reply as text deltas. `utterance` is what it answers, if somebody spoke.

        `speaker` is the name of the speaker in a group. Without a `floor` it may speak at once. `began` is when the
        words were known, in loop time: now, where it is not given. `guarded`: whose words these are;
        None for what was examined before.
        """
        self._tools = tools
        self._floor = floor or Floor(given=True)
        self._early: list[tuple[float, Kind, dict[str, Any]]] = []
        """What happened before the floor was given."""
        self._voice = tools.voices.get(speaker, tools.synthesizer)
        self._speaker_name = speaker
        self._answer = answer
        self._guard = tools.guard(guarded) if tools.guard is not None and guarded is not None else None
        self._cut = False
        """Whether a second model has ended the answer: what is whole already is not said either."""
        self._on_first_sound = on_first_sound
        self._timeline = tools.timeline()
        self._sentences: asyncio.Queue[Sentence | None] = asyncio.Queue(8)
        self._speech: asyncio.Queue[SpeechChunk | None] = asyncio.Queue(2)
        self._reason: EndReason = "interrupted"
        self._line = ""
        self._latency: dict[str, float] = {}
        self._answers_somebody = utterance is not None
        if utterance is not None:
            self._latency["endpoint"] = (utterance.decided - utterance.end) / EAR_RATE * 1000
            self._latency["transcribe"] = utterance.transcribed_ms
            if self._floor.was_given and utterance.ended:
                # Not made ahead: the pause had to pass before anybody was asked.
                pause_ms = (utterance.ended - utterance.decided) / EAR_RATE * 1000
                self._latency["allowed"] = max(0.0, pause_ms - utterance.transcribed_ms)
        self._filler = ""
        """The filler that was said, if one was."""
        self.failed_early = False
        """Whether no answer came, before anybody waited for one: it may be asked for again."""
        self.heard = ""
        """The text that came out of the loudspeaker; valid once `run` has returned or was cancelled."""
        self._time_limit: asyncio.Timeout
        self.began = self._stage_began = asyncio.get_running_loop().time() if began is None else began

    async def run(self) -> TurnEnded:
        """Speak the reply, and return when its last sound has been heard. Cancelling silences the loudspeaker."""
        failure: CompanionError | None = None
        try:
            async with (
                asyncio.timeout(self._tools.longest_silence_s) as self._time_limit,
                asyncio.TaskGroup() as group,
            ):
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
                self._record_error(failure)
            ended = self._finish()
        return ended

    def spoken(self) -> str:
        """The text heard so far, a filler too."""
        return f"{self._filler} {self._timeline.heard_text(self._tools.speaker.position())}".strip()

    async def _think(self) -> None:
        """Text deltas -> sentences. Text that arrived before a failure is still spoken."""
        stage, sentences = self._tools.stage(self._speaker_name), self._tools.sentences()
        self._record("request")
        self._first_time("request")
        try:
            async with aclosing(self._answer) as deltas:
                async for delta in deltas:
                    if self._first_time("first_token"):
                        self._record("first_token")
                    for begin in range(0, len(delta), _PIECE):
                        for piece in stage.feed(delta[begin : begin + _PIECE]):
                            await self._queue(sentences.feed(piece))
                        # Barge-in and mute do not wait until all of a giant delta has been read.
                        await asyncio.sleep(0)
                    await self._queue(sentences.pause())
                    if self._guard is not None and self._guard.is_over:
                        break
        except CharacterError as error:
            self._reason = "refused" if isinstance(error, CharacterRefused) else "offline"
            self._line = error.line
            self._record_error(error)
        for piece in stage.close():
            await self._queue(sentences.feed(piece))
        await self._queue(sentences.close())
        await self._sentences.put(None)

    async def _queue(self, sentences: list[Sentence]) -> None:
        for sentence in sentences if self._guard is None else self._guard.passed(sentences):
            self._first_time("first_sentence")
            self._record("sentence", text=sentence.text)
            await self._sentences.put(sentence)

    async def _synthesize(self) -> None:
        """Sentences -> speech with cues and mouth openings."""
        while (sentence := await self._sentences.get()) is not None:
            if not self._cut:
                await self._speech.put(await self._voiced_if_allowed(sentence))
        await self._speech.put(None)

    async def _voiced_if_allowed(self, sentence: Sentence) -> SpeechChunk:
        """The sentence as speech; where a second model objects in time, what is said in its place."""
        second, guard = self._tools.second_judge, self._guard
        if second is None or guard is None or guard.is_over or not sentence.text:
            return await self._voiced(sentence)
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(second.category(sentence.text))
            speech = await self._voiced(sentence)
            await asyncio.wait([asked], timeout=second.within_s)
            category = asked.result() if asked.done() else None
            asked.cancel()
        if category is None:
            return speech
        self._cut = True
        return await self._voiced(guard.block(category, sentence.text))

    async def _voiced(self, sentence: Sentence) -> SpeechChunk:
        voice = self._voice
        voiced = await voice.synthesize(sentence.text) if sentence.text else SynthesizedSpeech(b"")
        cues = self._tools.place_cues(sentence, voiced, voice.rate)
        mouth = self._tools.mouth_openings(voiced, voice.rate)
        return SpeechChunk(voiced.pcm, voice.rate, sentence.text, cues, mouth)

    async def _speak(self) -> None:
        """Speech -> the loudspeaker, without gaps, until the end of it has been heard."""
        speaker, fillers = self._tools.speaker, self._tools.fillers
        # Only an answer is filled, and in the persona's own voice.
        fills = fillers is not None and self._answers_somebody and self._voice is self._tools.synthesizer
        chunk = await (self._first_speech(fillers) if fillers and fills else self._speech.get())
        if chunk is None and self._reason == "offline" and not self._floor.was_given:
            return
        self._first_time("ready")
        await self._floor.wait()
        self._first_time("allowed")
        if fillers and fills and not self._filler:
            fillers.note(said=False)
        self._record_early()
        self._time_limit.reschedule(asyncio.get_running_loop().time() + self._tools.longest_silence_s)
        while chunk is not None:
            self._timeline.add(await speaker.write(chunk.pcm), chunk)
            if chunk.pcm and self._first_time("first_sound"):
                self._tools.event_log.record("speaking")
                self._tools.spotlight(self._speaker_name)
                self._time_limit.reschedule(asyncio.get_running_loop().time() + self._tools.longest_turn_s)
                self._on_first_sound()
            chunk = await self._speech.get()
            await self._floor.wait()
        await speaker.drain()
        self._act(speaker.position())

    async def _first_speech(self, fillers: Fillers) -> SpeechChunk | None:
        """The answer's first piece of speech; where it is late a filler is heard meanwhile."""
        async with asyncio.TaskGroup() as group:
            filling = group.create_task(self._fill(fillers))
            first = await self._speech.get()
            filling.cancel()
        return first

    async def _fill(self, fillers: Fillers) -> None:
        await self._floor.wait()
        if not fillers.may_be_said:
            return
        clock, tools = self._tools.clock, self._tools
        # Making it keeps the voice busy, so it is made only once the answer seems to be late.
        await clock.sleep(fillers.after_s / 2)
        # What is broken, voice or loudspeaker, the answer itself will tell.
        with suppress(SpeechError, DeviceError):
            filler = await fillers.prepare(self._speech_of)
            await clock.sleep(fillers.after_s / 2)
            await self._floor.wait()
            self._filler = filler.text
            fillers.note(said=True)
            self._floor.on_filler()
            tools.event_log.record("filler", text=filler.text)
            tools.spotlight(self._speaker_name)
            for chunk in filler.speech:
                self._timeline.add(await tools.speaker.write(chunk.pcm), chunk)

    async def _speech_of(self, line: str) -> list[SpeechChunk]:
        stage, sentences = self._tools.stage(self._speaker_name), self._tools.sentences()
        found = [one for piece in (*stage.feed(line), *stage.close()) for one in sentences.feed(piece)]
        return [await self._voiced(one) for one in (*found, *sentences.close())]

    async def _animate(self) -> None:
        """Position of the loudspeaker -> cues and mouth openings, once it may speak."""
        await self._floor.wait()
        while True:
            position = self._tools.speaker.position()
            self._act(position)
            await self._tools.clock.sleep(self._timeline.next_check_s(position, self._tools.speaker.rate))

    def _act(self, position: int) -> None:
        # A stage direction and an emoji next to it may mean the same, and are then played once.
        for cue in {(cue.emotion, cue.gesture): cue for cue in self._timeline.due(position)}.values():
            self._tools.event_log.record(
                "cue", emotion=cue.emotion, gesture=cue.gesture, intensity=cue.intensity, source=cue.source
            )
            self._tools.animator.play_cue(cue)
            if "first_sound" in self._latency:
                self._first_time("first_cue")
        self._tools.animator.set_mouth(self._timeline.mouth(position))

    def _first_time(self, stage: str) -> bool:
        """Record how long a stage took, and return True, when it is passed for the first time."""
        if stage in self._latency:
            return False
        now = asyncio.get_running_loop().time()
        self._latency[stage] = (now - self._stage_began) * 1000
        self._stage_began = now
        return True

    def _record(self, kind: Kind, **fields: Any) -> None:
        if self._floor.was_given:
            self._tools.event_log.record(kind, **fields)
        else:
            self._early.append((self._tools.clock.now(), kind, fields))

    def _record_early(self) -> None:
        for at, kind, fields in self._early:
            self._tools.event_log.record(kind, t=at, **fields)
        self._early.clear()

    def _record_error(self, error: CompanionError) -> None:
        self._record("error", code=error.code, sentence=str(error))

    def _finish(self) -> TurnEnded:
        """Silence the loudspeaker, close the mouth, and record what was heard and why the turn ended.

        A turn that never had the floor leaves no trace.
        """
        if not self._floor.was_given:
            self.failed_early = True
            return TurnEnded("", self._reason, self._line)
        self._record_early()
        if self._floor.withdrawn:
            self._reason = "taken_back"
        self.heard = self._timeline.heard_text(self._tools.speaker.flush())
        if self._reason in ("interrupted", "taken_back"):
            self._tools.animator.relax()
        self._tools.animator.set_mouth(0.0)
        latency = {stage: round(ms, 2) for stage, ms in self._latency.items()}
        if "first_sound" in latency:
            latency["total"] = round(sum(latency.values()) - latency.get("first_cue", 0.0), 2)
        self._tools.event_log.record("heard", text=self.heard, reason=self._reason)
        dropped = self._floor.dropped if self._answers_somebody else 0
        self._tools.event_log.record("turn", latency_ms=latency, dropped=dropped)
        ended = TurnEnded(self.heard, self._reason, self._line, latency, dropped)
        self._tools.on_turn(ended)
        return ended

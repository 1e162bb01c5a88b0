"""The composition root: settings -> engines -> one conversation. The only place that builds adapters.

Engines are imported when they are built, so that a device without one still starts. What takes long to load (models,
voices) loads during the first seconds of listening. What belongs to the device (ears, body, loudspeaker) is built once;
what belongs to a persona (mind, voices) lives in a task of its own until another persona has taken over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from companion import engines, plugins
from companion.animator import Animator
from companion.body.timeline import Timeline
from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.policy import policy_of
from companion.conversation import Conversation
from companion.conversation_rules import rules_of
from companion.dialogue import Dialogue, Dialogues
from companion.ears.echo import past_own_voice
from companion.ears.kept_echo import KeptEcho
from companion.ears.listener import Listener
from companion.ears.neighbour_link import NeighbourLink, link_to_neighbours
from companion.ears.no_transcriber import NoTranscriber
from companion.ears.shared_room import SharedRoomListener
from companion.ears.turn_judge import TurnJudge
from companion.ears.turn_taking import TurnTaking
from companion.ears.wake_gate import GatedWakeWord
from companion.ears.wake_words import WakeWords
from companion.errors import ConfigError, DeviceError, EngineUnavailable
from companion.event_log import EventLog
from companion.events import Control, State, TurnEnded
from companion.filler import Fillers
from companion.guardian import Guardian
from companion.guardian_notes import note_blocked
from companion.languages.understood import understood
from companion.minds import mind_of
from companion.ports import Body, Clock, Microphone, Speaker, Synthesizer, Transcriber, Unwatched, Watch
from companion.sound.pcm import earcon
from companion.sound.played import PlayedSound
from companion.turn_tools import TurnTools
from companion.voice.lipsync import mouth_openings, place_cues
from companion.voice.sentences import Sentences
from companion.voice.stage.inference import InferringSentences
from companion.voice.stage.stage import Stage

if TYPE_CHECKING:
    # SQLite waits until a store is opened: a voice alone (`companion say`) needs none.
    from companion.mind.memory.guard_records import GuardRecords
    from companion.mind.memory.store import Store

log = logging.getLogger("companion")


@dataclass(frozen=True)
class Sound:
    """The sound card, or what stands in for it."""

    microphone: Microphone
    speaker: Speaker
    clock: Clock
    on_change: Callable[[State | None], None]
    live: bool
    """Whether it is a sound card, which may go and come back, and not a file, with which all must be repeatable."""
    listens: asyncio.Event | None = None
    """Set once the ears listen: the mind waits for that. None where it must be there before the first sound."""
    watched: bool = False
    """Whether somebody looks on, though it is a file: then the body lives while nothing is said, too."""
    played: PlayedSound | None = None
    """What the speaker plays, where the microphone may hear it."""


@dataclass(frozen=True)
class Unit:
    """One device, ready to run."""

    conversation: Conversation
    listener: Listener
    event_log: EventLog
    animator: Animator
    bodies: tuple[Body, ...]
    transcriber: Transcriber
    dialogues: Dialogues
    store: Store
    """What is remembered and spent; handed from persona to persona."""
    missing: tuple[str, ...]
    """What it lacks and runs without, a sentence each."""
    wake_words: WakeWords | None
    """None where only a button wakes it."""
    records: GuardRecords
    """What is kept for the guardian."""
    link: NeighbourLink | None
    """The way to its neighbours, where it asks them."""

    def talk(self) -> tuple[float, float | None, str]:
        """Seconds of talk today, seconds that are left (None: no limit), and why no talk may begin now."""
        guardian = self.conversation.dialogue.guardian
        return (0.0, None, "") if guardian is None else guardian.talk()

    @property
    def wake_trouble(self) -> str:
        """Why a wake word is not heard; empty while all are."""
        return "" if self.wake_words is None else self.wake_words.trouble


@asynccontextmanager
async def assembled(
    device: Device,
    persona: Persona,
    sound: Sound,
    synthesizer: Synthesizer,
    events: Path | None,
    *,
    watch: Watch | None = None,
    on_turn: Callable[[TurnEnded], None] = lambda _: None,
    on_event: Callable[[str, Mapping[str, Any]], None] = lambda _kind, _fields: None,
) -> AsyncIterator[Unit]:
    """Build and wire one device; the body's task runs while this is entered, and all is closed on exit.

    `synthesizer` is the persona's voice, which the loudspeaker was opened for. `watch` wraps the engines; `on_event`
    hears what happens. With a sound card it works without a transcriber or body: silent, it could tell nobody why.
    """
    from companion.mind.memory.guard_records import GuardRecords
    from companion.mind.memory.store import local_now, open_store

    watch = watch or Unwatched()
    missing: list[str] = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(sound.speaker.close)
        stack.push_async_callback(sound.microphone.close)
        event_log = EventLog(sound.clock, events, log_transcripts=device.log_transcripts, on_event=on_event)
        stack.callback(event_log.close)
        words = engines.wake_words(device, persona, event_log, missing if sound.live else None)
        if words is not None:
            stack.callback(words.close)
        # A file costs no power, and is to be examined whole.
        gated = GatedWakeWord(words) if words is not None and sound.live else words
        detector = plugins.build_engine("speech_detectors", device.ears.endpoint.engine, device, persona)
        transcriber = watch.transcriber(engines.transcriber(device, persona, missing, live=sound.live))
        stack.push_async_callback(transcriber.close)
        judge = engines.turn_judge(device, persona, transcriber, missing, live=sound.live)
        kept_echo = KeptEcho.of_unit() if sound.live else None
        microphone, is_person = past_own_voice(device.ears.echo, sound.microphone, sound.played, missing, kept_echo)
        enrolment = engines.voice_enrolment(device, persona, words, event_log)
        microphone = enrolment.tapped(microphone)
        link = link_to_neighbours(device.ears.wake, missing) if sound.live else None
        listener = (Listener if link is None else SharedRoomListener)(
            *(microphone, gated, detector, judge or transcriber, device.ears),
            pause_after=lambda words: conversation.dialogue.pause_after(words),
            judge=None if judge is None else judge.pause_after,
            is_person=is_person,
            is_speaking=lambda: conversation.is_answering,
        )
        if link is not None and isinstance(listener, SharedRoomListener):
            listener.share(
                link,
                state=lambda: conversation.state,
                is_own_affair=lambda heard: (
                    heard.word in device.ears.wake.stop_words
                    or (conversation.is_answering and device.conversation.barge_in == "off")
                ),
                on_yield=lambda word, why: event_log.record("wake_yielded", word=word, why=why),
            )
        bodies: list[Body] = []
        for name in device.body.outputs:
            try:
                bodies.append(plugins.build_engine("bodies", name, device, persona))
            except EngineUnavailable as error:
                if not sound.live:
                    raise
                missing.append(str(error))
                continue
            stack.push_async_callback(bodies[-1].close)
        store = await open_store(device)
        stack.push_async_callback(store.close)
        records = GuardRecords(store, local_now, keep_words=device.guardian.keep_words)
        await records.load()
        talk_time = await engines.talk_time(device, sound.clock, records, missing, live=sound.live)
        # Frames that nobody sees, on a terminal or in the events, cost processor time in every turn.
        seen = [body for body in bodies if events is not None or not sound.live or getattr(body, "is_seen", True)]
        animator = engines.animator(
            device, sound.live, sound.watched, sound.clock, [watch.body(body) for body in seen], event_log
        )

        @asynccontextmanager
        async def open_dialogue(persona: Persona, voice: Synthesizer | None) -> AsyncIterator[Dialogue]:
            """What comes and goes with a persona: its mind and its voices."""
            async with AsyncExitStack() as its:
                changing = voice is None
                voice = voice or plugins.build_synthesizer(device, persona, or_another=sound.live)
                its.push_async_callback(voice.close)
                voices = {}
                for member in persona.cast:
                    voices[member.name] = watch.synthesizer(
                        engines.voice_of(member, device, persona, voice.rate, or_another=sound.live)
                    )
                    its.push_async_callback(voices[member.name].close)
                if voice.rate != sound.speaker.rate:
                    raise ConfigError(
                        f"{persona.name}: the voice makes {voice.rate} samples a second, the loudspeaker takes "
                        f"{sound.speaker.rate}: restart the device to take this persona."
                    )
                languages = understood(persona.language)
                turn_taking = TurnTaking(device.ears.endpoint, languages, persona.patience, persona.names)
                guardian = Guardian(
                    policy_of(device.policy, persona.audience),
                    persona,
                    *note_blocked(
                        records, event_log, persona, lambda: dialogue.character.person if dialogue.is_ready else ""
                    ),
                    talk_time=talk_time,
                )
                # A secret word is nobody else's business.
                event_log.clean = lambda said: (
                    "(...)" if dialogue.is_ready and dialogue.character.awaits_word else guardian.clean(said)
                )
                lights = {persona.name: persona.lights} | {one.name: one.lights for one in persona.cast}
                tools = TurnTools(
                    stage=lambda speaker: Stage(speaker or persona.name, languages),
                    sentences=lambda: InferringSentences(
                        Sentences(languages=languages), languages, throughout=persona.cues.channel == "inferred"
                    ),
                    timeline=Timeline,
                    synthesizer=watch.synthesizer(voice),
                    voices=voices,
                    spotlight=lambda speaker: animator.spotlight(lights.get(speaker, ())),
                    place_cues=place_cues,
                    mouth_openings=mouth_openings,
                    earcon=earcon,
                    speaker=sound.speaker,
                    animator=animator,
                    clock=sound.clock,
                    event_log=event_log,
                    on_turn=on_turn,
                    longest_silence_s=device.conversation.longest_silence_s,
                    longest_turn_s=device.conversation.longest_turn_s,
                    fillers=Fillers(persona.lines.filler, device.conversation.filler_after_s),
                    guard=guardian.watch_answer,
                    second_judge=engines.second_judge(device, guardian.policy, its),
                )
                dialogue = Dialogue(None, persona, tools, turn_taking, guardian)
                # Who changes the persona is told at once where the new one cannot speak.
                listens = None if changing else sound.listens
                await its.enter_async_context(mind_of(dialogue, device, store, group, listens))
                yield dialogue

        async with asyncio.TaskGroup() as group:
            dialogues = Dialogues(open_dialogue, group)
            conversation = Conversation(
                listener,
                await dialogues.open(persona, synthesizer),
                rules_of(
                    device,
                    live=sound.live,
                    hears=transcriber.name != NoTranscriber.name,
                    refuses=lambda: conversation.dialogue.refuses(),
                ),
                on_change=lambda: _changed(conversation, sound, judge),
                teach=enrolment.teach,
            )
            work = [one.run() for one in (animator, link, kept_echo) if one is not None] + [store.keep_copies()]
            if sound.live:
                work.append(
                    talk_time.run(partial(_count_talk, conversation), partial(_look_anew, conversation, listener))
                )
            aside = [group.create_task(one) for one in work]
            for sentence in missing:
                log.error("%s", sentence)
            try:
                yield Unit(
                    *(conversation, listener, event_log, animator, tuple(bodies)),
                    *(transcriber, dialogues, store, tuple(missing)),
                    *(words, records, link),
                )
            finally:
                if sound.live:
                    # Along a ramp: whoever switches it off may have their hands on it.
                    await animator.move_to_neutral()
            for one in aside:
                one.cancel()
            dialogues.close_all()


def _changed(conversation: Conversation, sound: Sound, judge: TurnJudge | None) -> None:
    if judge is not None and conversation.state is State.MUTED:
        judge.forget()
    _count_talk(conversation)
    sound.on_change(conversation.state)


def _count_talk(conversation: Conversation) -> str:
    """Returns why no talk may begin now."""
    if (guardian := conversation.dialogue.guardian) is None:
        return ""
    guardian.time_passes(talking=conversation.state not in (None, State.IDLE, State.MUTED))
    return guardian.refuses()


def _look_anew(conversation: Conversation, listener: Listener) -> None:
    """A talk may begin now, or may not any more: a unit in open mode listens for something else at rest."""
    if conversation.state is State.IDLE:
        listener.inject(Control("yield"))


async def converse_with_files(
    device: Device, persona: Persona, heard: Path, said: Path, events: Path | None, *, realtime: bool = False
) -> None:
    """Hold the conversation in the WAV `heard`; the loudspeaker's sound goes to the WAV `said`."""
    from companion.sound.file import FileSoundCard, same_file

    if events is not None and (same_file(events, heard) or same_file(events, said)):
        raise DeviceError(f"{events}: the events would overwrite the sound; name another file")
    synthesizer = plugins.build_synthesizer(device, persona)
    card = FileSoundCard(
        heard,
        said,
        synthesizer.rate,
        realtime,
        is_replying=lambda: conversation.is_preparing,
        is_listening=lambda: conversation.state is State.LISTENING,
    )
    sound = Sound(card.microphone, card.speaker, card.clock, lambda _: card.changed(), live=False, watched=realtime)
    async with assembled(device, persona, sound, synthesizer, events) as unit:
        conversation = unit.conversation
        await conversation.run()

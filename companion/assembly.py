"""A device put together: settings -> engines -> one conversation. With `mind_assembly` the only place that builds
adapters; `app` runs what is made here, with files or with a sound card.

Engines are imported when they are built, so that a device without one still starts. What takes long to load (models,
voices) loads behind the first seconds of listening. What belongs to the device (ears, body, loudspeaker) is made once;
what belongs to a persona (mind, voices) lives in a task of its own, until another has taken over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from companion import plugins
from companion.animator import Animator
from companion.body.choreography import load_choreography
from companion.body.performer import Performer
from companion.body.timeline import Timeline
from companion.config import Device
from companion.conversation import Conversation
from companion.ears.listener import Listener
from companion.errors import ConfigError
from companion.events import State, TurnEnded
from companion.journal import Journal
from companion.lives import Lives
from companion.manners import Manners
from companion.persona import CastMember, Persona
from companion.ports import Body, Clock, Microphone, Speaker, Synthesizer, Transcriber
from companion.quiet_hours import within
from companion.service.watch import Unwatched, Watch
from companion.talk import Talk
from companion.turn import Tools
from companion.voice.directions import read as read_direction
from companion.voice.earcon import earcon
from companion.voice.inferring import InferringSentences
from companion.voice.loudness import mouth_openings, place_cues
from companion.voice.sentences import Sentences
from companion.voice.stage import Stage

BEST_TRANSCRIBERS = ("vosk", "pocketsphinx")
BEST_SYNTHESIZERS = ("piper", "espeak")


@dataclass(frozen=True)
class Sound:
    """What stands where a sound card stands."""

    microphone: Microphone
    speaker: Speaker
    clock: Clock
    on_change: Callable[[State | None], None]
    live: bool
    """Whether it is a sound card, which may go and come back, and not a file, with which all must be repeatable."""
    watched: bool = False
    """Whether somebody looks on, though it is a file: then the body lives while nothing is said, too."""


@dataclass(frozen=True)
class Unit:
    """One device, ready to run."""

    conversation: Conversation
    listener: Listener
    journal: Journal
    animator: Animator
    bodies: tuple[Body, ...]
    transcriber: Transcriber
    lives: Lives


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
) -> AsyncIterator[Unit]:
    """Everything built and wired; the body's task runs while this is entered, and all is closed in the end.

    `synthesizer` is the persona's voice, which the loudspeaker was opened for. `watch` keeps an eye on the engines.
    """
    watch = watch or Unwatched()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(sound.speaker.close)
        stack.push_async_callback(sound.microphone.close)
        journal = Journal(sound.clock, events, log_transcripts=device.log_transcripts)
        stack.callback(journal.close)
        wake = device.ears.wake
        wake_word = None
        if wake.mode != "button":
            wake_word = plugins.build_engine("wake_words", wake.engine, device, persona)
        detector = plugins.build_engine("speech_detectors", device.ears.endpoint.engine, device, persona)
        transcriber = watch.transcriber(
            plugins.build_best("transcribers", device.ears.transcriber.engine, BEST_TRANSCRIBERS, device, persona)
        )
        stack.push_async_callback(transcriber.close)
        listener = Listener(sound.microphone, wake_word, detector, transcriber, device.ears)
        bodies: list[Body] = []
        for name in device.body.outputs:
            bodies.append(plugins.build_engine("bodies", name, device, persona))
            stack.push_async_callback(bodies[-1].close)
        animator = _animator(device, sound, [watch.body(body) for body in bodies], journal)

        @asynccontextmanager
        async def talk(persona: Persona, voice: Synthesizer | None) -> AsyncIterator[Talk]:
            """What lives and goes with a persona."""
            from companion.mind_assembly import mind

            async with AsyncExitStack() as its:
                voice = voice or build_synthesizer(device, persona)
                its.push_async_callback(voice.close)
                voices = {}
                for member in persona.cast:
                    voices[member.name] = watch.synthesizer(_voice_of(member, device, persona, voice.rate))
                    its.push_async_callback(voices[member.name].close)
                if voice.rate != sound.speaker.rate:
                    raise ConfigError(
                        f"{persona.name}: the voice makes {voice.rate} samples a second, the loudspeaker takes "
                        f"{sound.speaker.rate}: restart the device to take this persona."
                    )
                character = await its.enter_async_context(mind(device, persona))
                lights = {persona.name: persona.lights} | {one.name: one.lights for one in persona.cast}
                tools = Tools(
                    stage=lambda speaker: Stage(speaker or persona.name),
                    sentences=lambda: InferringSentences(
                        Sentences(), persona.language, throughout=persona.cues.channel == "inferred"
                    ),
                    timeline=Timeline,
                    synthesizer=watch.synthesizer(voice),
                    voices=voices,
                    spotlight=lambda speaker: animator.spotlight(lights.get(speaker, ())),
                    place=place_cues,
                    mouth=mouth_openings,
                    earcon=earcon,
                    speaker=sound.speaker,
                    animator=animator,
                    clock=sound.clock,
                    journal=journal,
                    on_turn=on_turn,
                    silent_s=device.conversation.longest_silence_s,
                    longest_s=device.conversation.longest_turn_s,
                )
                yield Talk(character, persona, tools)

        async with asyncio.TaskGroup() as group:
            lives = Lives(talk, group)
            conversation = Conversation(
                listener,
                await lives.begin(persona, synthesizer),
                _manners(device, reopens=sound.live),
                on_change=lambda: sound.on_change(conversation.state),
            )
            animation = group.create_task(animator.run())
            # The lexicon of directions is read when first needed; that would be amid the first answer.
            group.create_task(asyncio.to_thread(read_direction, ""))
            try:
                yield Unit(conversation, listener, journal, animator, tuple(bodies), transcriber, lives)
            finally:
                if sound.live:
                    # Along a ramp: whoever switches it off may have their hands on it.
                    await animator.come_to_rest()
            animation.cancel()
            lives.end()


def build_synthesizer(device: Device, persona: Persona) -> Synthesizer:
    """The persona's voice. Raises `EngineUnavailable`."""
    synthesizer: Synthesizer = plugins.build_best(
        "synthesizers", device.voice.engine, BEST_SYNTHESIZERS, device, persona
    )
    return synthesizer


def _voice_of(member: CastMember, device: Device, persona: Persona, rate: int) -> Synthesizer:
    """The voice of another one of a group."""
    voice = build_synthesizer(device, persona.model_copy(update={"speech": member.speech}))
    if voice.rate != rate:
        raise ConfigError(
            f"{member.name}: the voice makes {voice.rate} samples a second and that of {persona.name} {rate}: "
            "take two voices of the same kind"
        )
    return voice


def _animator(device: Device, sound: Sound, bodies: list[Body], journal: Journal) -> Animator:
    body = device.body
    performer = Performer(
        load_choreography(body.choreography),
        body.channels,
        # The same file gives the same frames.
        seed=random.getrandbits(32) if sound.live else 0,
        idle_life=body.idle_life and (sound.live or sound.watched),
        current_ma=body.current_ma,
    )

    def brightness() -> float:
        return body.night_brightness if within(body.night, datetime.now().time()) else 1.0

    return Animator(performer, bodies, sound.clock, journal, brightness if sound.live and body.night else None)


def _manners(device: Device, *, reopens: bool) -> Manners:
    settings = device.conversation
    return Manners(
        nobody_s=device.ears.endpoint.nobody_s,
        follow_up_s=settings.follow_up_s,
        always_open=device.ears.wake.mode == "open",
        opening_after_s=settings.opening_after_s,
        continue_after_s=settings.continue_after_s,
        continue_most=settings.continue_most,
        may_speak_first=lambda: not within(settings.quiet_hours, datetime.now().time()),
        reopens=reopens,
    )

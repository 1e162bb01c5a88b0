"""The composition root: settings -> engines -> one running device. The only file that builds adapters.

Engines are imported when they are built, so that a device without one still starts. What takes long to load (models,
voices) loads behind the first seconds of listening.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from companion import control, plugins
from companion.animator import Animator
from companion.body.choreography import load_choreography
from companion.body.performer import Performer
from companion.body.timeline import Timeline
from companion.clock import LiveClock
from companion.config import Device, load_device, split_overrides
from companion.conversation import Conversation, Manners
from companion.ears.attention import Attention
from companion.ears.listener import Listener
from companion.errors import ConfigError, DeviceError
from companion.events import Control, State
from companion.journal import Journal
from companion.persona import Persona, load_persona
from companion.ports import Body, Character, Clock, Microphone, Speaker, Synthesizer
from companion.quiet_hours import within
from companion.settings_file import parse_overrides
from companion.stopping import stop_when_asked
from companion.talk import Talk
from companion.turn import Tools
from companion.voice.earcon import earcon
from companion.voice.loudness import mouth_openings, place_cues
from companion.voice.sentences import Sentences
from companion.voice.stage import Stage

log = logging.getLogger("companion")

BEST_TRANSCRIBERS = ("vosk", "pocketsphinx")
BEST_SYNTHESIZERS = ("piper", "espeak")
CONTROLS = {action: Control(action) for action in ("mute", "unmute", "stop")}


@dataclass(frozen=True)
class Sound:
    """What stands where a sound card stands."""

    microphone: Microphone
    speaker: Speaker
    clock: Clock
    on_change: Callable[[State | None], None]
    reopens: bool


def load(device_file: Path, settings: Sequence[str] = ()) -> tuple[Device, Persona]:
    """Read a device file and its persona, with `KEY=VALUE` settings on top. Raises `ConfigError`."""
    of_device, of_persona = split_overrides(parse_overrides(settings), Persona)
    device = load_device(device_file, of_device)
    return device, load_persona(device.persona, of_persona)


async def run_live(device: Device, persona: Persona, events: Path | None) -> None:
    """Talk with the sound card until SIGTERM or SIGINT."""
    from companion.ears import microphone
    from companion.sound_card import SoundCard
    from companion.voice import speaker

    task = asyncio.current_task()
    assert task is not None
    stop_when_asked(task)
    synthesizer = _synthesizer(device, persona)
    card = SoundCard()
    heard = microphone.build(device, card)
    sound = Sound(
        heard,
        speaker.build(device, card, synthesizer.rate),
        LiveClock(),
        # At rest a wake word may be noticed a little later, for a third of the cost of listening.
        on_change=lambda state: heard.hurry(state is not State.IDLE),
        reopens=True,
    )
    try:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(card.close)
            conversation, listener, journal = await stack.enter_async_context(
                _assembled(device, persona, sound, synthesizer, events)
            )
            await _switches(device, conversation, listener, journal, stack)
            log.info("%s listens.", persona.name)
            await conversation.run()
    except asyncio.CancelledError:
        # Asked to stop: that is how this command ends well.
        task.uncancel()


async def converse_with_files(
    device: Device, persona: Persona, heard: Path, said: Path, events: Path | None, *, realtime: bool = False
) -> None:
    """Hold the conversation in the WAV `heard`; the loudspeaker's sound goes to the WAV `said`."""
    from companion.sound_file import FileSoundCard, same_file

    if events is not None and (same_file(events, heard) or same_file(events, said)):
        raise DeviceError(f"{events}: the events would overwrite the sound; name another file")
    synthesizer = _synthesizer(device, persona)
    card = FileSoundCard(
        heard,
        said,
        synthesizer.rate,
        realtime,
        hold=lambda: conversation.at_work,
        listening=lambda: conversation.state is State.LISTENING,
    )
    sound = Sound(card.microphone, card.speaker, card.clock, lambda _: card.changed(), reopens=False)
    async with _assembled(device, persona, sound, synthesizer, events) as (conversation, _, _):
        await conversation.run()


async def say_text(device: Device, persona: Persona, text: str, out: Path | None) -> None:
    """Say `text` as the character would, to the loudspeaker or into the WAV `out`."""
    synthesizer = _synthesizer(device, persona)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(synthesizer.close)
        speaker: Speaker
        if out is None:
            from companion.sound_card import SoundCard
            from companion.voice.speaker import build

            speaker = build(device, SoundCard(), synthesizer.rate)
        else:
            from companion.file_speaker import WavSpeaker

            speaker = WavSpeaker(out, synthesizer.rate)
        stack.push_async_callback(speaker.close)
        stage, sentences = Stage(persona.name), Sentences()
        for piece in [*stage.feed(text), *stage.close(), None]:
            for sentence in sentences.close() if piece is None else sentences.feed(piece):
                await speaker.write((await synthesizer.synthesize(sentence.text)).pcm)
        await speaker.drain()


@asynccontextmanager
async def _assembled(
    device: Device, persona: Persona, sound: Sound, synthesizer: Synthesizer, events: Path | None
) -> AsyncIterator[tuple[Conversation, Listener, Journal]]:
    """Everything built and wired; the body's task runs while this is entered, and all is closed in the end."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(synthesizer.close)
        stack.push_async_callback(sound.speaker.close)
        stack.push_async_callback(sound.microphone.close)
        journal = Journal(sound.clock, events, log_transcripts=device.log_transcripts)
        stack.callback(journal.close)

        wake = device.ears.wake
        wake_word = None
        if wake.mode != "button":
            wake_word = plugins.build_engine("wake_words", wake.engine, device, persona)
        detector = plugins.build_engine("speech_detectors", device.ears.endpoint.engine, device, persona)
        transcriber = plugins.build_best(
            "transcribers", device.ears.transcriber.engine, BEST_TRANSCRIBERS, device, persona
        )
        stack.push_async_callback(transcriber.close)
        character = _character(device, persona, stack)
        stack.push_async_callback(character.close)
        bodies: list[Body] = []
        for name in device.body.outputs:
            bodies.append(plugins.build_engine("bodies", name, device, persona))
            stack.push_async_callback(bodies[-1].close)

        performer = Performer(load_choreography(device.body.choreography), device.body.channels)
        animator = Animator(performer, bodies, sound.clock, journal)
        listener = Listener(sound.microphone, wake_word, detector, transcriber, device.ears)
        tools = Tools(
            stage=lambda: Stage(persona.name),
            sentences=Sentences,
            timeline=Timeline,
            synthesizer=synthesizer,
            voices={},
            spotlight=lambda _: None,
            place=place_cues,
            mouth=mouth_openings,
            earcon=earcon,
            speaker=sound.speaker,
            animator=animator,
            clock=sound.clock,
            journal=journal,
            silent_s=device.conversation.longest_silence_s,
            longest_s=device.conversation.longest_turn_s,
        )
        talk = device.conversation
        manners = Manners(
            nobody_s=device.ears.endpoint.nobody_s,
            follow_up_s=talk.follow_up_s,
            always_open=wake.mode == "open",
            opening_after_s=talk.opening_after_s,
            continue_after_s=talk.continue_after_s,
            continue_most=talk.continue_most,
            may_speak_first=lambda: not within(talk.quiet_hours, datetime.now().time()),
            reopens=sound.reopens,
        )
        conversation = Conversation(
            listener,
            Talk(character, persona, tools),
            manners,
            on_change=lambda: sound.on_change(conversation.state),
        )
        async with asyncio.TaskGroup() as group:
            animation = group.create_task(animator.run())
            yield conversation, listener, journal
            animation.cancel()


def _synthesizer(device: Device, persona: Persona) -> Synthesizer:
    synthesizer: Synthesizer = plugins.build_best(
        "synthesizers", device.voice.engine, BEST_SYNTHESIZERS, device, persona
    )
    return synthesizer


def _character(device: Device, persona: Persona, stack: AsyncExitStack) -> Character:
    """The service's client; where there is no key, a client of the local stand-in."""
    from companion.mind.character import build
    from companion.mind.key import find_key

    settings = device.character
    key = None if settings.emulator == "always" else find_key(settings)
    base_url = settings.base_url
    if key is None and settings.emulator == "never":
        raise ConfigError(
            "character: no key: set DASHSCOPE_API_KEY, a systemd credential called dashscope-key, or character.key_file"
        )
    if key is None:
        from companion.emulator import EmulatorServer

        server = EmulatorServer()
        base_url = server.start()
        stack.callback(server.stop)
    return build(device, persona, base_url, key)


async def _switches(
    device: Device, conversation: Conversation, listener: Listener, journal: Journal, stack: AsyncExitStack
) -> None:
    """Signals, the control socket and the push-to-talk button, all of which only put something before the listener."""

    def press(action: str) -> None:
        if action == "mute":
            # The ears are shut at once; what the mute interrupts is seen to right after.
            listener.listen_for(Attention.NOTHING)
        if action == "wake":
            listener.heard_button()
        else:
            listener.interject(CONTROLS[action])

    def toggle_mute() -> None:
        press("unmute" if conversation.state is State.MUTED else "mute")

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, press, "wake")
    loop.add_signal_handler(signal.SIGUSR2, toggle_mute)
    try:
        server = await control.serve(press)
    except control.AlreadyRunning:
        # Two of them would answer each other.
        raise
    except DeviceError as error:
        # The voice works without it.
        journal.note("error", code=error.code, sentence=str(error))
    else:
        stack.callback(server.close)
    pin = device.ears.wake.button_pin
    if pin is not None:
        from companion.ears.button import Button

        stack.callback(Button(pin, lambda: loop.call_soon_threadsafe(press, "wake")).close)

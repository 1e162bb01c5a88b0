"""The daemon: runs the device with its sound card, and connects signals, switches, control socket, watchdog, systemd.

Every button, whether a switch, a signal or a request, only inserts an event in front of the listener. A hardware mute
switch has priority over all others: while it is closed nothing can unmute the ears. A mute by signal or request
outlives the daemon (`companion.service.kept_mute`), and only a signal or request undoes it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from companion.app import Sound, Unit, assembled
from companion.body.inputs import BodySwitches
from companion.config.device import Device
from companion.config.persona import Persona, load_persona
from companion.ears import microphone
from companion.ears.attention import Attention
from companion.ears.microphone import CardMicrophone
from companion.errors import CompanionError, ConfigError, DeviceError
from companion.events import Control, State, TurnEnded
from companion.plugins import build_synthesizer
from companion.service import control, metrics
from companion.service.control_protocol import Button
from companion.service.installed_unit import own_state_folder, unit_files
from companion.service.kept_mute import KeptMute
from companion.service.owner_access import HeldButton, OwnerAccess
from companion.service.reset import reset_if_held
from companion.service.signs_of_life import WakeSound, tell_what_is_missing, tell_when_ready, wants_wake_sound
from companion.service.status import HealthMonitor, trouble_of
from companion.service.stopping import cancel_on_signals
from companion.service.systemd import ServiceNotifier
from companion.service.transcript import transcript_line
from companion.service.watchdog import BlockedCallCheck, ProgressCheck, TroubleCheck, Watchdog
from companion.service.watched_engines import EngineWatch
from companion.sound.card import MonotonicClock, SoundCard
from companion.sound.played import PlayedSound
from companion.terminal import terminal_on_stderr
from companion.voice import speaker
from companion.voice.speaker import CardSpeaker

log = logging.getLogger("companion")

_CONTROLS = {action: Control(action) for action in ("mute", "unmute", "stop")}
_UNWATCHED_S = 20.0
"""The watchdog's time-out where no service manager sets one; the checks then only log."""


async def run_until_stopped(
    device: Device, persona: Persona, events: Path | None, persona_settings: Mapping[str, Any], device_file: Path
) -> None:
    """Run what was read from `device_file` until SIGTERM or SIGINT. `persona_settings` override every persona file."""
    task = asyncio.current_task()
    assert task is not None
    cancel_on_signals(task)
    notifier = ServiceNotifier.from_environment()
    synthesizer = build_synthesizer(device, persona, or_another=True)
    card = SoundCard()
    ears = microphone.build(device, card, lambda seconds: sound_lost(seconds))
    played = None if device.ears.echo == "cancelled" else PlayedSound()
    loudspeaker = speaker.build(device, card, synthesizer.rate, played, persona.audience)

    def state_changed(state: State | None) -> None:
        # While idle the wake word may be noticed a little later, which costs a third of the processor time.
        ears.set_low_latency(state is not State.IDLE)
        ears.set_muted(state is State.MUTED)
        notifier.status("" if state is None else state.value)

    recorder, recordings = None, own_state_folder() / "recordings"
    if device.ears.record is not None or recordings.exists():
        from companion.service.recorder import Recorder

        recorder = Recorder(ears, device.ears.recorded_until, recordings)
    listens = asyncio.Event()
    sound = Sound(
        recorder or ears, loudspeaker, MonotonicClock(), state_changed, live=True, listens=listens, played=played
    )
    watch = EngineWatch(device, asyncio.get_running_loop().time)

    def sound_lost(seconds: float) -> None:
        unit.event_log.record("sound_lost", seconds=round(seconds, 2))

    def turn_ended(ended: TurnEnded) -> None:
        daemon.health.turn_ended(ended)

    terminal = terminal_on_stderr()
    wake_sound = WakeSound(loudspeaker, lambda playing: group.create_task(playing))
    sounds = wants_wake_sound(device, at_terminal=terminal is not None)

    def look_on(kind: str, fields: Mapping[str, Any]) -> None:
        if recorder is not None:
            recorder.notice(kind, fields)
        if sounds:
            wake_sound.notice(kind, fields)
        if terminal is not None and (line := transcript_line(kind, fields, daemon.persona_name)) is not None:
            print(line, file=terminal, flush=True)

    try:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(card.close)
            unit = await stack.enter_async_context(
                assembled(
                    device, persona, sound, synthesizer, events, watch=watch, on_turn=turn_ended, on_event=look_on
                )
            )
            group = await stack.enter_async_context(asyncio.TaskGroup())
            kept_mute = KeptMute(own_state_folder())
            stack.callback(kept_mute.close)
            parts = (card, ears, loudspeaker, watch, notifier)
            daemon = Daemon(device, device_file, unit, *parts, persona_settings, group, kept_mute)
            work = [
                group.create_task(daemon.watchdog.run()),
                group.create_task(tell_when_ready(notifier, unit.listener, unit.conversation, listens)),
                group.create_task(tell_what_is_missing(device, card, unit.conversation, own_state_folder())),
            ]
            daemon.health.neighbours, daemon.health.records, daemon.health.talk = unit.link, unit.records, unit.talk
            if recorder is not None:
                daemon.health.recording = recorder.describe
                work.append(group.create_task(recorder.run(unit.animator.show_recording)))
            await _open_controls(device, unit, daemon, stack, group)
            stack.push_async_callback(daemon.owner.close)
            daemon.owner.begin()
            if kept_mute.muted:
                # Before the microphone is opened: `hear` hands this over first.
                daemon.force_press("mute")
                log.info(
                    "%s is muted, as it was before the start; unmute it by button or `control unmute`.", persona.name
                )
            try:
                await unit.conversation.run()
            finally:
                notifier.stopping()
                for one in work:
                    one.cancel()
    except asyncio.CancelledError:  # a request to stop is a normal end of this command
        task.uncancel()


class Daemon:
    """The running device's controls. Satisfies `control.DaemonControls`. On the loop."""

    def __init__(
        self,
        device: Device,
        device_file: Path,
        unit: Unit,
        card: SoundCard,
        microphone: CardMicrophone,
        loudspeaker: CardSpeaker,
        watch: EngineWatch,
        notifier: ServiceNotifier,
        persona_settings: Mapping[str, Any],
        group: asyncio.TaskGroup,
        kept_mute: KeptMute,
    ) -> None:
        self._unit, self._kept_mute = unit, kept_mute
        self.loudspeaker = loudspeaker
        self.owner = OwnerAccess(self, unit, device, own_state_folder(), group)
        self._persona_settings = persona_settings
        self._device, self.persona_file = device, device.persona
        self._group = group
        self._changing: asyncio.Task[None] | None = None
        now = asyncio.get_running_loop().time
        self.switches = BodySwitches(
            self.force_press, unit.animator.lock, unit.animator.unlock, now, muted_otherwise=lambda: kept_mute.muted
        )
        ears = ProgressCheck(lambda: unit.listener.position, now, away=lambda: not microphone.is_open)
        self.watchdog = Watchdog(
            {
                "ears": ears,
                "wake word": TroubleCheck(lambda: unit.wake_trouble, now),
                "sound card": BlockedCallCheck("the sound card", lambda: card.busy_since, now),
                "engines": watch.first_problem,
            },
            notifier.alive,
            notifier.watchdog_s or _UNWATCHED_S,
            [watch.probe],
        )
        conversation = unit.conversation
        self.health = HealthMonitor(
            device.name,
            persona=lambda: self.persona_name,
            state=lambda: conversation.state,
            engines={
                "transcriber": unit.transcriber.name,
                "voice": conversation.dialogue.tools.synthesizer.name,
                "body": ", ".join(device.body.outputs),
            },
            links={
                "microphone": lambda: microphone.link,
                "wake word": lambda: unit.wake_trouble or "well",
                "body": lambda: unit.animator.last_error or trouble_of(unit.bodies) or "well",
                "character": lambda: conversation.dialogue.trouble or "well",
            },
            files=lambda: unit_files(device, device_file, self.persona_file, own_state_folder()),
            queues={"to say": lambda: conversation.announcements_waiting},
            lost_s=lambda: microphone.lost_s,
            problems=lambda: (
                *unit.missing,
                *self.watchdog.problems,
                *self.switches.problems,
                *unit.store.problems,
            ),
            store=unit.store,
        )

    @property
    def persona_name(self) -> str:
        """The name of the present persona."""
        return self._unit.conversation.dialogue.persona.name

    async def press(self, button: Button) -> None:
        """Press a button. A mute is on the disk when this returns.

        Raises `DeviceError` where the hardware mute switch forbids it, or where a mute could not be kept.
        """
        if not self.switches.allows(button):
            raise DeviceError("The mute switch is closed: nobody but the switch itself opens the ears.")
        self.force_press(button)
        if button in ("mute", "unmute"):
            await self._kept_mute.set(button == "mute")

    def force_press(self, action: str) -> None:
        """Press a button whatever the state of the switches: they themselves call this."""
        if action == "mute":
            # The ears shut at once; interrupting the turn follows right after.
            self._unit.listener.listen_for(Attention.NOTHING)
        if action == "wake":
            self._unit.listener.push_to_talk()
        else:
            self._unit.listener.inject(_CONTROLS[action])

    def toggle_mute(self) -> None:
        """Mute, or unmute where the hardware switch allows it."""
        button: Button = "unmute" if self._unit.conversation.state is State.MUTED else "mute"
        if self.switches.allows(button):
            self._group.create_task(self._press_or_log(button))

    async def _press_or_log(self, button: Button) -> None:
        try:
            await self.press(button)
        except DeviceError as error:
            self._unit.event_log.record("error", code=error.code, sentence=str(error))

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        self.loudspeaker.volume = volume

    def say(self, text: str) -> None:
        """Say this as soon as nobody is speaking. Raises `CompanionError`, see `Conversation.announce`."""
        self._unit.conversation.announce(text)

    def reload(self, persona: str | None) -> str:
        """Switch to another persona, or reload the present one's file. See `control.DaemonControls.reload`."""
        if self._changing is not None and not self._changing.done():
            raise CompanionError("Another persona is being prepared; ask again in a moment.")
        file = control.find_persona(self.persona_file.parent, persona) if persona else self.persona_file
        read = load_persona(file, self._persona_settings)
        self._changing = self._group.create_task(self._switch_persona(read, file))
        return f"{read.name} comes as soon as nobody speaks."

    def say_reset(self) -> None:
        """Say that the unit begins anew. Raises `CompanionError`."""
        guardian = self._unit.conversation.dialogue.guardian
        self._unit.conversation.announce(guardian.line("reset") if guardian is not None else "")

    def status(self) -> dict[str, Any]:
        """The device's status as a dictionary."""
        return self.health.status().as_dict()

    async def _switch_persona(self, persona: Persona, file: Path) -> None:
        try:
            dialogue = await self._unit.dialogues.open(persona)
        except CompanionError as error:
            log.error("%s: the persona is refused and the old one stays: %s", file, error)
            return
        self._unit.dialogues.close(await self._unit.conversation.switch_to(dialogue))
        self.loudspeaker.limit(speaker.most_level(self._device, persona.audience))
        self.persona_file = file
        log.info("%s has taken over.", persona.name)


async def _open_controls(
    device: Device, unit: Unit, daemon: Daemon, stack: AsyncExitStack, group: asyncio.TaskGroup
) -> None:
    """Open everything that can control the device: signals, control socket, metrics, buttons of board and body."""
    loop = asyncio.get_running_loop()

    def wake() -> None:
        if daemon.switches.allows("wake"):
            daemon.force_press("wake")

    def read_anew() -> None:
        try:
            log.info("%s", daemon.reload(None))
        except CompanionError as error:
            problems = error.problems if isinstance(error, ConfigError) else (str(error),)
            log.error("The persona is refused and the old one stays: %s", "; ".join(problems))

    loop.add_signal_handler(signal.SIGUSR1, wake)
    loop.add_signal_handler(signal.SIGUSR2, daemon.toggle_mute)
    loop.add_signal_handler(signal.SIGHUP, read_anew)
    try:
        stack.callback((await control.serve(daemon)).close)
        if (port := device.health.metrics_port) is not None:
            stack.callback((await metrics.serve(daemon.status, port, daemon.health.latency)).close)
    except control.AlreadyRunning:
        # Two companions would answer each other.
        raise
    except DeviceError as error:
        # The conversation works without a control socket or metrics.
        unit.event_log.record("error", code=error.code, sentence=str(error))
    pin = device.ears.wake.button_pin
    if pin is not None:
        from companion.body.gpio_switches import PushToTalkButton

        held = HeldButton(wake, daemon.owner.open_by_hand)
        button = PushToTalkButton(pin, lambda down: loop.call_soon_threadsafe(held.changed, down))
        stack.callback(button.close)
        resetting = group.create_task(reset_if_held(lambda: button.is_down, own_state_folder(), daemon.say_reset))
        stack.callback(resetting.cancel)
    daemon.switches.on_hold = daemon.owner.open_by_hand
    for body in unit.bodies:
        # Not every body has buttons.
        if (listen := getattr(body, "events", None)) is not None:
            listen(daemon.switches.handle)

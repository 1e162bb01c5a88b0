"""Settings that are right one by one and poor together, and files and programs that the present moment is read from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.policy import policy_of
from companion.config.wake import WakeSettings
from companion.ears.neighbour_link import find_neighbours_key
from companion.errors import ConfigError
from companion.examination.findings import Remark, missing, note, warning
from companion.languages.language import language
from companion.mind.api import models


def settings_remarks(device: Device, persona: Persona, *, looks_for_keys: bool = True) -> Iterator[Remark]:
    """What is poor in the tables `[ears]`, `[character]`, `[memory]`, `[spending]`, `[context]` and `[health]`."""
    yield from _neighbours(device.ears.wake, looks_for_key=looks_for_keys)
    endpoint, character, talk = device.ears.endpoint, device.character, device.conversation
    if endpoint.silence_s >= endpoint.longest_s:
        text = f"nobody can pause that long: every utterance is cut off after {endpoint.longest_s:g} s; write less"
        yield warning("ears.endpoint.silence_s", text)
    microphone = device.ears.microphone
    if microphone.channel.isdecimal() and microphone.device.strip().lower() in ("", "default"):
        text = "a sound server may mix the channels before; name the card itself as ears.microphone.device"
        yield warning("ears.microphone.channel", text)
    until = device.ears.recorded_until
    if until is not None:
        text = f"what people say is recorded until {until}; remove the key when the diagnosis is done"
        over = f"was over on {until}: nothing is recorded any more; remove the key"
        yield warning("ears.record", text if date.today() <= until else over)
    if talk.longest_silence_s <= character.answer_within_s:
        text = f"ends a turn before character.answer_within_s ({character.answer_within_s:g} s) is over; write more"
        yield warning("conversation.longest_silence_s", text)
    page, metrics = device.body.page.port, device.health.metrics_port
    if "page" in device.body.outputs and page == metrics:
        yield warning("health.metrics_port", f"{page} is the port of body.page already; take another one")
    most = policy_of(device.policy, persona.audience).sound.loudest_db
    if most is not None and device.voice.speaker.loudness_db is None:
        text = f"{most:g} dB(A) cannot be held: nobody measured how loud this loudspeaker is (companion doctor --tone)"
        yield note("voice.speaker.loudness_db", text)
    yield from _memory(device, persona)
    yield from _spending(device)
    yield from _context(device)


def _neighbours(wake: WakeSettings, *, looks_for_key: bool) -> Iterator[Remark]:
    if not wake.neighbours:
        return
    if wake.mode != "word":
        yield warning("ears.wake.neighbours", f'neighbours are asked at a wake word only, not with mode "{wake.mode}"')
    elif looks_for_key:
        try:
            find_neighbours_key(wake)
        except ConfigError as problem:
            text = f"{problem} (what systemd gives to the service alone is not seen from here)"
            yield missing("ears.wake.neighbours", text)


def _memory(device: Device, persona: Persona) -> Iterator[Remark]:
    settings = device.memory
    if settings.mode == "service" and (persona.cast or not language(persona.language).general.service_memory):
        text = 'the service remembers in Chinese only, and not for groups; write "local"'
        yield warning("memory.mode", text)
    if settings.folder is not None and settings.mode != "off" and not _can_hold_files(settings.folder):
        text = f"no file can be written in {settings.folder}, so nothing is remembered; name another folder"
        yield missing("memory.folder", text)


def _can_hold_files(folder: Path) -> bool:
    """Whether the folder, or the nearest one above it that is there, is one in which this user may write."""
    there = next((one for one in (folder, *folder.absolute().parents) if one.exists()), Path("/"))
    return there.is_dir() and os.access(there, os.W_OK)


def _spending(device: Device) -> Iterator[Remark]:
    settings = device.spending
    if settings.daily is not None and settings.monthly is not None and settings.daily > settings.monthly:
        yield warning("spending.daily", f"is more than the {settings.monthly:g} of the whole month; write less")
    foreign = device.character.base_url is not None and not models.regions_of(device.character.model)
    if foreign and device.character.emulator != "always":
        for key, value in (("daily", settings.daily), ("monthly", settings.monthly)):
            if value is not None:
                text = f"the prices of {device.character.model} are not known here, so this never ends a day; remove it"
                yield warning(f"spending.{key}", text)


def _context(device: Device) -> Iterator[Remark]:
    settings = device.context
    for name, key, path in (("file", "file", settings.file), ("speed", "speed_file", settings.speed_file)):
        if name in settings.providers and path is not None and not path.is_file():
            what = (
                "is a folder; name a file in it" if path.is_dir() else "is not there; another program has to write it"
            )
            yield missing(f"context.{key}", f"{path} {what}")
    if "command" in settings.providers and settings.command and shutil.which(settings.command[0]) is None:
        text = f"there is no program {settings.command[0]} here; install it, or write its whole path"
        yield missing("context.command", text)

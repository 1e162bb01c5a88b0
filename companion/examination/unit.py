"""The examination of one unit: everything that can be wrong with a device file and what it refers to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from companion.body.choreography import Choreography, load_choreography
from companion.config.device import Device
from companion.config.loading import read_settings
from companion.config.persona import Persona
from companion.config.policy import policy_of
from companion.examination.findings import Finding, Remark, placed
from companion.examination.of_body import body_remarks, choreography_remarks, light_remarks
from companion.examination.of_character import character_remarks
from companion.examination.of_engines import engine_remarks, voice_remarks
from companion.examination.of_guard import guard_remarks
from companion.examination.of_persona import persona_remarks
from companion.examination.of_settings import settings_remarks
from companion.examination.of_wake_words import wake_word_remarks
from companion.toml_file import read_toml_text


def examine(
    file: Path, device: Device, persona: Persona, *, has_key: bool | None = None, guards: bool = True
) -> list[Finding]:
    """Examine a unit whose files could be read. `file` is the device file, for messages.

    `has_key`: whether the unit has a key, where that is kept where this process does not look; None: look for it.
    `guards`: whether the persona is examined by its policy, which takes seconds on a small machine; a unit that starts
    does that beside listening. Raises `ConfigError` for the choreography and the policy.
    """
    built_in, own = load_choreography(None), None
    if device.body.choreography is not None:
        own = read_settings(device.body.choreography, Choreography)
    remarks = [
        *wake_word_remarks(device, persona),
        *engine_remarks(device, persona),
        *character_remarks(device, persona, has_key=has_key),
        *settings_remarks(device, persona, looks_for_keys=has_key is None),
        *body_remarks(device, built_in, own),
        *light_remarks(device.body, persona),
        *voice_remarks(persona),
        *(one for one in _of_persona(persona_remarks(persona))),
        *(_of_persona(guard_remarks(persona, policy_of(device.policy, persona.audience))) if guards else ()),
    ]
    found = _placed(file, (one for one in remarks if not one.of_persona))
    found += _placed(device.persona, (one for one in remarks if one.of_persona))
    if own is not None and device.body.choreography is not None:
        found += _placed(device.body.choreography, choreography_remarks(own, device.body))
    return found


def examine_persona(file: Path, persona: Persona) -> list[Finding]:
    """Examine a persona file by itself, for any unit."""
    of_policy = guard_remarks(persona, policy_of(None, persona.audience))
    return _placed(file, _of_persona([*persona_remarks(persona), *voice_remarks(persona), *of_policy]))


def plain_path(path: Path) -> Path:
    """The path without `..`, where that names the same file: so one file has one name in all messages."""
    short = Path(os.path.normpath(path))
    return short if os.path.realpath(short) == os.path.realpath(path) else path


def _of_persona(remarks: Iterable[Remark]) -> Iterable[Remark]:
    return (Remark(one.severity, one.key, one.text, of_persona=True) for one in remarks)


def _placed(file: Path, remarks: Iterable[Remark]) -> list[Finding]:
    file = plain_path(file)
    try:
        text = read_toml_text(file)
    except (OSError, UnicodeDecodeError):
        # It was read a moment ago; without it only the lines are unknown.
        text = ""
    return placed(file, text, remarks)

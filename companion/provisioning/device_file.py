"""Writes the device file that the daemon runs with: a built-in device file with the installer's choices applied.

The result is complete: it refers to no other device file, and its paths are absolute. It is written again at every
start, so that an update of the built-in file reaches the unit.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, available_timezones

from companion.config import word_file
from companion.config.device import Device, load_device
from companion.config.loading import to_toml
from companion.config.persona import Persona, load_persona
from companion.config.wake import WORD_FILE
from companion.config.wording import as_sentence
from companion.errors import ConfigError
from companion.provisioning.installer_file import InstallerFile, other_toml_files, read_installer_file
from companion.provisioning.run import CONFIGS, ProvisioningRun
from companion.provisioning.settings import Diagnostic, InstallerSettings
from companion.provisioning.values import QUIET_VOLUME, Choices

log = logging.getLogger("companion")

DEVICE_FILE = "device.toml"
PERSONA_FILE = "persona.toml"

_DEFAULT_DEVICE = "toy"
_NOT_FOR_INSTALLERS = "demo"
_MOST_PROBLEMS = 8
_KEYS = {
    "name": "name",
    "person": "memory.person",
    "region": "character.region",
    "timezone": "timezone",
    "quiet_hours": "conversation.quiet_hours",
    "memory": "memory.mode",
    "owner_page": "owner.open",
    "spending.daily": "spending.daily",
    "spending.monthly": "spending.monthly",
    "log.transcripts": "log_transcripts",
}
"""Settings of the installer's file, and where they stand in the device file."""


def device_file_text(device: Device, source: Path) -> str:
    """The text of the unit's device file, made from the built-in one in `source`."""
    tables = _plain(device.model_dump(exclude_unset=True))
    return f"# Made at each start from {source.name} and companion.toml. Changes here are lost.\n" + to_toml(tables)


def _plain(value: Any) -> Any:
    """Settings as TOML can hold them, with absolute paths."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value.resolve()) if isinstance(value, Path) else value


def check_installer_file(path: Path) -> None:
    """Check a `companion.toml` for `companion check`. Raises `ConfigError` with every problem."""
    file = read_installer_file(path.parent, available_choices(CONFIGS, path.parent))
    wrong = [one for one in (*file.diagnostics, *file.settings.diagnostics) if not one.note]
    if wrong:
        places = (f"{path}:{one.line}" if one.line else f"{path}" for one in wrong)
        raise ConfigError([f"{place}: {one.name or '-'}: {one.text}" for one, place in zip(wrong, places, strict=True)])


def available_choices(configs: Path, boot: Path) -> Choices:
    """The built-in personas and devices, and the persona files on the card."""
    personas: dict[str, str] = {}
    for file in sorted((configs / "personas").glob("*.toml")):
        try:
            personas[file.stem] = load_persona(file).language
        except ConfigError as error:
            log.warning("%s", error)
    devices = [one.stem for one in sorted((configs / "devices").glob("*.toml"))]
    devices = [one for one in devices if one != _NOT_FOR_INSTALLERS]
    zones = sorted(available_timezones())
    return Choices(personas, devices, other_toml_files(boot), zones, _countries(), _word_files(boot))


def _word_files(boot: Path) -> tuple[str, ...]:
    """The names of the wake words on the card."""
    try:
        return tuple(sorted(one.name for one in boot.glob(f"*{WORD_FILE}")))
    except OSError:
        return ()


def _countries() -> tuple[str, ...]:
    """The two letters of every country, from the system's time zones; empty where it has no such list."""
    for folder in TZPATH:
        try:
            text = Path(folder, "iso3166.tab").read_text("utf-8")
        except OSError:
            continue
        return tuple(line[:2] for line in text.splitlines() if not line.startswith("#"))
    return ()


def write_device_file(run: ProvisioningRun, file: InstallerFile, choices: Choices) -> Device | None:
    """Write the unit's device file; returns its settings, or None where it could not be made.

    A unit that has one keeps it when the installer's file cannot be used at all.
    """
    target = run.folders.state / DEVICE_FILE
    if not file.settings.recognised and target.exists():
        run.applied.append(("device", "as before, because the file could not be used"))
        return None
    name = file.settings.text("device") or _DEFAULT_DEVICE
    source = run.folders.configs / "devices" / f"{name}.toml"
    try:
        built_in = load_device(source)
        persona = _choose_persona(run, file, choices, built_in.persona)
        words = _choose_wake_words(run, file, choices, built_in, load_persona(persona))
        words |= {"ears.wake.neighbours": True} if run.has_neighbours_key else {}
        device = load_device(source, {**_overrides(file), **words, "persona": str(persona)})
    except ConfigError:
        # The error's own text is not logged: it quotes the installer's file, which may hold secrets.
        log.warning("%s cannot be used with the settings of companion.toml.", source.name)
        run.diagnostics.append(Diagnostic("does not work with this software. Choose another.", name="device"))
        return None
    if run.examine is not None:
        read = device.model_copy(update={"persona": run.persona_file or persona})
        run.diagnostics += run.examine(source, read, run.has_key)
    if run.write(target, device_file_text(device, source).encode()):
        run.report_value("device", name)
        _report_settings(run, file.settings, device)
    return device


def _report_settings(run: ProvisioningRun, settings: InstallerSettings, device: Device) -> None:
    """Report what counts of each setting, also where the file does not say or says something wrong."""
    wake, spending = device.ears.wake, device.spending
    woken_by = ", ".join(one.name for one in wake.listed if one.role == "wake")
    in_effect = {
        "name": device.name,
        "person": device.memory.person or "nobody in particular",
        "volume": f"{round(device.voice.speaker.volume * 100)} %",
        "region": device.character.region,
        "timezone": device.timezone or "the system's own",
        "wake_word": woken_by if wake.mode == "word" else f"none: {wake.mode}",
        "quiet_hours": device.conversation.quiet_hours or "none",
        "memory": "local" if device.memory.mode == "auto" else device.memory.mode,
        "owner_page": "open for a while after each start" if device.owner.open else "closed until its button is held",
        "spending.daily": f"{spending.daily:g}" if spending.daily else "no limit",
        "spending.monthly": f"{spending.monthly:g}" if spending.monthly else "no limit",
        "log.transcripts": "on: what is said is written into the log" if device.log_transcripts else "off",
    }
    for setting, value in in_effect.items():
        if setting in settings.rejected:
            remark = " (what the file says is wrong)"
        else:
            remark = "" if setting in settings.values else " (the file does not say)"
        run.report_value(setting, value + remark)


def _overrides(file: InstallerFile) -> dict[str, Any]:
    values = file.settings.values
    overrides: dict[str, Any] = {key: values[name] for name, key in _KEYS.items() if name in values}
    if overrides.get("conversation.quiet_hours") == "none":
        overrides["conversation.quiet_hours"] = ""
    if isinstance(volume := values.get("volume"), int):
        overrides["voice.speaker.volume"] = volume / 100
    elif "volume" in file.settings.rejected:
        # Whoever meant to make it quieter must not get it at full volume.
        overrides["voice.speaker.volume"] = QUIET_VOLUME / 100
    return overrides


def _choose_wake_words(
    run: ProvisioningRun, file: InstallerFile, choices: Choices, built_in: Device, persona: Persona
) -> dict[str, object]:
    """The card's word in place of all that wake the built-in device. A `.ww` file is copied, as a persona is.

    Without one, a word of somebody whom the chosen persona does not know wakes the persona.
    """
    word = file.settings.text("wake_word")
    if word is None:
        names = (None, *persona.names)
        if all(one.character in names for one in built_in.ears.wake.words):
            return {}
        words = [
            one.model_dump(exclude_unset=True, exclude=set() if one.character in names else {"character"})
            for one in built_in.ears.wake.words
        ]
        return {"ears.wake.words": words}
    if word in choices.word_files:
        card, target = file.path.with_name(word), run.folders.state / word
        try:
            data = word_file.encoded(word_file.read(card))
        except ConfigError as error:
            text = as_sentence(str(error).replace(str(card), word))
            run.diagnostics.append(Diagnostic(f"{text} Until then the device's own word counts.", name="wake_word"))
            return {}
        if not run.write(target, data):
            return {}
        word = str(card if run.dry_run else target)
    if not built_in.ears.wake.words:
        return {"ears.wake.word": word}
    stops = [one.model_dump(exclude_unset=True) for one in built_in.ears.wake.words if one.role == "stop"]
    return {"ears.wake.words": [word, *stops]}


def _choose_persona(run: ProvisioningRun, file: InstallerFile, choices: Choices, own: Path) -> Path:
    """The persona to use: the chosen one, else the first that speaks the chosen language, else the device's own."""
    chosen, language = file.settings.text("persona"), file.settings.text("language")
    if chosen is not None and chosen in choices.card_files:
        if copied := _copy_persona(run, file.path.with_name(chosen), language):
            return copied
        chosen = None
    if chosen is None and language is not None and choices.personas.get(own.stem) != language:
        chosen = next((name for name, speaks in choices.personas.items() if speaks == language), None)
    path = run.folders.configs / "personas" / f"{chosen}.toml" if chosen else own
    run.report_value("persona", path.stem)
    _report_language(run, choices.personas.get(path.stem, ""), language)
    return path


def _copy_persona(run: ProvisioningRun, source: Path, language: str | None) -> Path | None:
    """Check a persona file on the card and copy it, as the daemon cannot read the card. None where it is wrong."""
    target = run.folders.state / PERSONA_FILE
    try:
        persona = load_persona(source)
        data = source.read_bytes()
    except ConfigError as error:
        for problem in error.problems[:_MOST_PROBLEMS]:
            told = re.sub(r"^(?::(\d+))?: (?:-: )?", _named_line, problem.removeprefix(f"{source}"))
            text = as_sentence(f"{source.name} cannot be used: {told}")
            run.diagnostics.append(Diagnostic(text, name="persona"))
        return None
    except OSError as error:
        run.diagnostics.append(Diagnostic(f"{source.name} cannot be read: {error.strerror}.", name="persona"))
        return None
    if not run.write(target, data):
        return None
    run.persona_file = source
    run.report_value("persona", source.name)
    _report_language(run, persona.language, language)
    return target


def _named_line(place: re.Match[str]) -> str:
    return f"line {place[1]}, " if place[1] else ""


def _report_language(run: ProvisioningRun, speaks: str, wanted: str | None) -> None:
    """Report the persona's language, and that a different choice has no effect."""
    if wanted is not None and wanted != speaks:
        text = f"The persona speaks {speaks}, so {speaks} counts. Choose another persona, or leave language out."
        run.diagnostics.append(Diagnostic(text, name="language"))
    run.applied.append(("language", speaks))

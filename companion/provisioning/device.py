"""The device file that the daemon runs with: the installer's choices on top of a built-in device and persona.

The device file that a unit runs with: the chosen built-in one, with the installer's choices in it.

It is whole: whoever reads it needs no other device file, and its paths are absolute. It is made anew at every start, so
that an update of the built-in file reaches the unit.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from companion.config.device import load_device
from companion.config.loading import to_toml
from companion.config.persona import load_persona
from companion.errors import ConfigError
from companion.provisioning.installer_file import BootFile, other_files, read_boot_file
from companion.provisioning.run import CONFIGS, Run
from companion.provisioning.settings import Finding
from companion.provisioning.values import Choices


def effective_device(source: Path, overrides: Mapping[str, Any]) -> str:
    """The text of the unit's device file. `overrides` maps dotted keys to values. Raises `ConfigError`."""
    device = load_device(source, overrides)
    tables = _plain(device.model_dump(exclude_unset=True))
    return f"# Made at each start from {source.name} and companion.toml. Changes here are lost.\n" + to_toml(tables)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value.resolve()) if isinstance(value, Path) else value


log = logging.getLogger("companion")

DEVICE_FILE = "device.toml"
PERSONA_FILE = "persona.toml"

_DEFAULT_DEVICE = "toy"
_NOT_FOR_INSTALLERS = "demo"
_MOST_PROBLEMS = 8


def check_boot_file(path: Path) -> None:
    """Hold a `companion.toml` against what this software brings, for `companion check`. Raises `ConfigError`."""
    file = read_boot_file(path.parent, choices_of(CONFIGS, path.parent))
    wrong = [one for one in (*file.findings, *file.settings.findings) if not one.note]
    if wrong:
        lines = (f"line {one.line}: " if one.line else "" for one in wrong)
        raise ConfigError(
            [f"{path}: {one.name or '-'}: {line}{one.text}" for one, line in zip(wrong, lines, strict=True)]
        )


def choices_of(configs: Path, boot: Path) -> Choices:
    """The personas and devices that this software brings, and the persona files on the card."""
    personas: dict[str, str] = {}
    for file in sorted((configs / "personas").glob("*.toml")):
        try:
            personas[file.stem] = load_persona(file).language
        except ConfigError as error:
            log.warning("%s", error)
    devices = [one.stem for one in sorted((configs / "devices").glob("*.toml"))]
    return Choices(personas, [one for one in devices if one != _NOT_FOR_INSTALLERS], other_files(boot))


def write_device(run: Run, file: BootFile, choices: Choices) -> None:
    """Write the unit's device file. A file that could not be used changes nothing on a unit that has one already."""
    target = run.folders.state / DEVICE_FILE
    if not file.settings.recognised and target.exists():
        run.well.append(("device", "as before, because the file could not be used"))
        return
    name = file.settings.text("device") or _DEFAULT_DEVICE
    source = run.folders.configs / "devices" / f"{name}.toml"
    try:
        persona = _persona(run, file, choices, load_device(source).persona)
        text = effective_device(source, {**_overrides(file), "persona": str(persona)})
    except ConfigError:
        # Not its words: they quote what the installer wrote.
        log.warning("%s cannot be used with the settings of companion.toml.", source.name)
        run.findings.append(Finding("does not work with this software. Choose another.", name="device"))
        return
    if run.write(target, text.encode()):
        run.show("device", name)
        for setting in ("name", "person", "region"):
            if value := file.settings.text(setting):
                run.show(setting, value)
        if (volume := file.settings.values.get("volume")) is not None:
            run.well.append(("volume", f"{volume} %"))
        if file.settings.values.get("log.transcripts"):
            run.well.append(("log.transcripts", "on: what is said is written into the log"))


def _overrides(file: BootFile) -> dict[str, Any]:
    values = file.settings.values
    keys = {
        "name": "name",
        "person": "memory.person",
        "region": "character.region",
        "log.transcripts": "log_transcripts",
    }
    overrides: dict[str, Any] = {key: values[name] for name, key in keys.items() if name in values}
    if isinstance(volume := values.get("volume"), int):
        overrides["voice.speaker.volume"] = volume / 100
    return overrides


def _persona(run: Run, file: BootFile, choices: Choices, own: Path) -> Path:
    """The persona that counts: the chosen one, else the first that speaks the language, else the device's own."""
    chosen, language = file.settings.text("persona"), file.settings.text("language")
    if chosen is not None and chosen in choices.beside:
        if copied := _copied(run, file.path.with_name(chosen), language):
            return copied
        chosen = None
    if chosen is None and language is not None and choices.personas.get(own.stem) != language:
        chosen = next((name for name, speaks in choices.personas.items() if speaks == language), None)
    path = run.folders.configs / "personas" / f"{chosen}.toml" if chosen else own
    run.show("persona", path.stem)
    _tell_language(run, choices.personas.get(path.stem, ""), language)
    return path


def _copied(run: Run, source: Path, language: str | None) -> Path | None:
    """A persona file from the card, checked and copied: the daemon cannot see the card. None where it is bad."""
    target = run.folders.state / PERSONA_FILE
    try:
        persona = load_persona(source)
        data = source.read_bytes()
    except ConfigError as error:
        for problem in error.problems[:_MOST_PROBLEMS]:
            text = f"{source.name} cannot be used: {problem.removeprefix(f'{source}: ').removeprefix('-: ')}."
            run.findings.append(Finding(text, name="persona"))
        return None
    except OSError as error:
        run.findings.append(Finding(f"{source.name} cannot be read: {error.strerror}.", name="persona"))
        return None
    if not run.write(target, data):
        return None
    run.show("persona", source.name)
    _tell_language(run, persona.language, language)
    return target


def _tell_language(run: Run, speaks: str, wanted: str | None) -> None:
    if wanted is not None and wanted != speaks:
        text = f"The persona speaks {speaks}, so {speaks} counts. Choose another persona, or leave language out."
        run.findings.append(Finding(text, name="language"))
    run.well.append(("language", speaks))

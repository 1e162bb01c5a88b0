"""The settings files that come with the project: each of them works, and editors know its keys."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from companion.config.device import load_device
from companion.config.persona import load_persona
from companion.config.word_file import read
from companion.errors import ConfigError
from companion.languages.language import language
from tests.support.paths import CONFIGS, ROOT

DEVICES = sorted((CONFIGS / "devices").glob("*.toml"))
PERSONAS = sorted((CONFIGS / "personas").glob("*.toml"))
WAKE_WORDS = {"okay_nabu", "hey_jarvis", "alexa", "hey_mycroft"}


def stem(path: Path) -> str:
    return path.stem


def test_every_kind_of_thing_has_its_files() -> None:
    assert {"desk", "toy", "robot", "car"} <= {path.stem for path in DEVICES}
    assert {"teddy", "go_prodigy", "co_driver"} <= {path.stem for path in PERSONAS}


@pytest.mark.parametrize("path", DEVICES, ids=stem)
def test_a_device_and_its_persona_load(path: Path) -> None:
    device = load_device(path)
    assert device.name == path.stem
    assert device.persona.exists()
    assert {one.name for one in device.ears.wake.listed if one.file is None} <= WAKE_WORDS
    assert set(device.ears.wake.characters.values()) <= set(load_persona(device.persona).names)
    assert device.body.channels
    for file in (device.ears.transcriber.model, device.voice.model, device.body.choreography):
        assert file is None or file.exists()


def test_the_toy_with_a_word_of_its_own_has_its_file() -> None:
    device = load_device(CONFIGS / "devices" / "momo.toml")
    [word] = device.ears.wake.listed
    assert word.file is not None
    card = read(word.file).card
    assert card.phrase == "hey momo"
    assert card.language == load_persona(device.persona).language
    assert card.made
    assert word.file.stat().st_size < 2_000_000
    assert word.file.stat().st_mode & 0o044 == 0o044, "the service reads it"


@pytest.mark.parametrize("path", DEVICES, ids=stem)
def test_no_device_file_names_a_secret_or_logs_what_is_said(path: Path) -> None:
    device = load_device(path)
    assert device.character.key_file is None
    assert not device.log_transcripts


@pytest.mark.parametrize("path", PERSONAS, ids=stem)
def test_a_persona_can_be_talked_to(path: Path) -> None:
    persona = load_persona(path)
    assert persona.system_message().startswith(persona.profile.details[:10])
    assert persona.opening
    usual = language(persona.language).commands
    assert {persona.spoken_command(said) for said in (*usual.stop, *usual.goodbye)} >= {"stop", "goodbye"}
    for words in persona.words.values():
        assert words.stop
        assert words.goodbye
        assert not set(words.stop) & set(words.goodbye)
        # A transcriber gives words in small letters without punctuation.
        for phrase in (*words.stop, *words.goodbye):
            assert phrase == phrase.strip().lower()
            assert not set(phrase) & set(".,!?;。，！？")


@pytest.mark.parametrize("path", PERSONAS, ids=stem)
def test_lines_that_are_spoken_as_they_stand_hold_no_directions(path: Path) -> None:
    lines = load_persona(path).lines
    for line in (*lines.offline, *lines.failed, *lines.goodbye):
        assert not set(line) & set("()（）[]【】*"), line


@pytest.mark.parametrize("path", PERSONAS, ids=stem)
def test_the_opening_line_shows_the_cue_channel(path: Path) -> None:
    """The opening line sets the style of all that follow: directions in it bring directions."""
    persona = load_persona(path)
    directions = bool(set(persona.opening) & set("()（）"))
    assert directions == (persona.cues.channel == "directions")


def test_the_car_listens_to_another_word_than_the_toy() -> None:
    words = {path.stem: load_device(path).ears.wake.word for path in DEVICES}
    assert words["car"] == "hey_jarvis"
    assert words["toy"] == "okay_nabu"


def test_the_prodigy_understands_goodbye_in_both_languages() -> None:
    words = load_persona(CONFIGS / "personas" / "go_prodigy.toml").words
    assert "goodbye" in words["en"].goodbye
    assert "再见" in words["zh"].goodbye


def test_every_problem_of_a_file_is_reported_at_once(tmp_path: Path) -> None:
    text = (CONFIGS / "devices" / "toy.toml").read_text("utf-8")
    broken = tmp_path / "toy.toml"
    broken.write_text(text.replace("silence_s = 0.9", 'silence_s = -1\nsilense = "x"').replace("low = -60", "low = 99"))
    with pytest.raises(ConfigError) as caught:
        load_device(broken)
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    for key in ("ears.endpoint.silence_s", "ears.endpoint.silense", "body.channels.head"):
        assert f": {key}: " in told


def test_the_schemas_are_those_of_the_models(tmp_path: Path) -> None:
    # In a process of its own: only there do the models read the docstrings of their keys.
    subprocess.run([sys.executable, ROOT / "scripts" / "make_schemas.py", tmp_path], check=True, cwd=ROOT)
    for name in ("choreography", "device", "persona"):
        written = (ROOT / "configs" / "schemas" / f"{name}.schema.json").read_text("utf-8")
        made = (tmp_path / f"{name}.schema.json").read_text("utf-8")
        assert written == made, "the settings changed: run `make schemas`"
        assert '"description"' in written


def allowed_keys(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The properties of a table in a schema, references and alternatives followed."""
    if "$ref" in node:
        return allowed_keys(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    for one in node.get("anyOf", []):
        if found := allowed_keys(schema, one):
            return found
    return dict(node.get("properties", {}))


def unknown_keys(schema: dict[str, Any], node: dict[str, Any], table: dict[str, Any], at: str = "") -> list[str]:
    allowed = allowed_keys(schema, node)
    if not allowed:
        return []
    wrong = [f"{at}{key}" for key in table if key not in allowed]
    for key, value in table.items():
        if isinstance(value, dict) and key in allowed:
            wrong += unknown_keys(schema, allowed[key], value, f"{at}{key}.")
    return wrong


@pytest.mark.parametrize("path", [*DEVICES, *PERSONAS], ids=stem)
def test_an_editor_accepts_every_key(path: Path) -> None:
    name = "device" if path in DEVICES else "persona"
    schema = json.loads((ROOT / "configs" / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    table = tomllib.loads(path.read_text("utf-8"))
    assert unknown_keys(schema, schema, table) == []
    assert unknown_keys(schema, schema, {**table, "silly": 1}) == ["silly"]
    first = path.read_text("utf-8").splitlines()[0]
    if first.startswith("#:schema "):
        assert (path.parent / first.removeprefix("#:schema ")).resolve().exists()

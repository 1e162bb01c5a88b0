"""Settings files as a manufacturer gets them wrong, and as the command line changes them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.cli.check import check_paths
from companion.config.device import load_device
from companion.config.loading import parse_overrides
from companion.config.persona import load_persona
from companion.config.unit import split_overrides
from companion.errors import ConfigError
from tests.support.paths import CONFIGS

TEDDY = CONFIGS / "personas" / "teddy.toml"


def device_file(folder: Path, text: str) -> Path:
    path = folder / "unit.toml"
    path.write_text(f'persona = "{TEDDY}"\n{text}', encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_device(path)
    assert caught.value.exit_status == 78
    return list(caught.value.problems)


def test_every_problem_is_reported_at_once_with_file_and_key(tmp_path: Path) -> None:
    path = device_file(
        tmp_path,
        """
[ears.endpoint]
silence_s = -1
[ears.wake]
mode = "shout"
[voice]
volume = 3
""",
    )
    told = problems(path)
    assert len(told) == 3
    assert [problem.split(": ")[0] for problem in told] == [f"{path}:{line}" for line in (4, 6, 8)]
    assert {problem.split(": ")[1] for problem in told} == {"ears.endpoint.silence_s", "ears.wake.mode", "voice.volume"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = “toy”", "is not valid TOML"),
        ('key = "sk-123"', "key does not belong here"),
        ('[character]\nkey = "sk-123"', "key does not belong here"),
        ('[character]\napi_key = "sk-123"', "key does not belong here"),
        *(
            (
                f"[ears]\nrecord = {value}",
                'unit.toml:3: ears.record: is no day until which sound may be kept; write it as "until',
            )
            for value in ("true", "2026-12-31", '"2026-12-31"', '"until 31.12.2026"', '"until 2026-02-30"', '"until "')
        ),
        ("[body.channels.arm]\nkind = 'servo'\nlow = 5\nhigh = -5", "must be in this order"),
    ],
)
def test_a_mistake_ends_in_a_sentence(tmp_path: Path, text: str, expected: str) -> None:
    [problem] = problems(device_file(tmp_path, text))
    assert expected in problem
    assert "sk-123" not in problem


@pytest.mark.parametrize("path", ["", "a\\u0000b", "~nobody-of-that-name/bear.toml"])
def test_an_impossible_path_is_reported_with_its_key(tmp_path: Path, path: str) -> None:
    (tmp_path / "unit.toml").write_text(f'persona = "{path}"\n[voice]\nmodel = "{path}"\n', encoding="utf-8")
    told = problems(tmp_path / "unit.toml")
    assert [problem.split(": ")[1] for problem in told] == ["persona", "voice.model"]


@pytest.mark.parametrize("value", ["[" * 5000 + "]" * 5000, "9" * 5000])
def test_toml_beyond_all_reason_is_a_problem_and_no_accident(tmp_path: Path, value: str) -> None:
    [problem] = problems(device_file(tmp_path, f"name = {value}\n"))
    assert "not valid TOML" in problem
    assert parse_overrides([f"name={value}"]) == {"name": value}


def test_a_missing_file_and_a_missing_persona_are_distinguished(tmp_path: Path) -> None:
    assert "cannot be read" in problems(tmp_path / "none.toml")[0]
    path = tmp_path / "unit.toml"
    path.write_text("", encoding="utf-8")
    assert problems(path) == [f"{path}: persona: is missing"]


def test_windows_line_ends_and_a_byte_order_mark_are_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_bytes(b"\xef\xbb\xbf" + f'persona = "{TEDDY}"\r\nname = "toy"\r\n'.encode())
    assert load_device(path).name == "toy"


def test_paths_count_from_the_file_that_names_them(tmp_path: Path) -> None:
    path = device_file(tmp_path, '[ears.transcriber]\nmodel = "models/small"')
    assert load_device(path).ears.transcriber.model == tmp_path / "models" / "small"


@pytest.mark.parametrize("mode", ["open", "button"])
def test_the_short_form_of_wake_names_a_mode_or_a_word(tmp_path: Path, mode: str) -> None:
    assert load_device(device_file(tmp_path, f'[ears]\nwake = "{mode}"')).ears.wake.mode == mode
    wake = load_device(device_file(tmp_path, '[ears]\nwake = "alexa"')).ears.wake
    assert (wake.mode, wake.word) == ("word", "alexa")


def test_a_sound_device_may_be_given_by_its_number(tmp_path: Path) -> None:
    path = device_file(tmp_path, "[ears.microphone]\ndevice = 1\n[voice.speaker]\ndevice = 0\n")
    device = load_device(path)
    assert (device.ears.microphone.device, device.voice.speaker.device) == ("1", "0")
    [told] = problems(device_file(tmp_path, "[ears.microphone]\ndevice = true\n"))
    assert "ears.microphone.device: " in told


def test_any_key_of_both_files_can_be_given_on_the_command_line(tmp_path: Path) -> None:
    given_ = [
        "ears.wake.word=alexa",
        "cues.channel=directions",
        "log_transcripts=true",
        "persona.name=Bo",
        "name=Toy 7",
    ]
    of_device, of_persona = split_overrides(parse_overrides(given_))
    device = load_device(device_file(tmp_path, '[ears]\nwake = "open"'), of_device)
    persona = load_persona(device.persona, of_persona)
    assert (device.ears.wake.word, device.log_transcripts, device.name) == ("alexa", True, "Toy 7")
    assert (persona.cues.channel, persona.name) == ("directions", "Bo")


@pytest.mark.parametrize("pair", ["ears", "=x", "ears..wake=1", "nosuch.key=1"])
def test_a_setting_that_cannot_be_meant_is_refused(pair: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        split_overrides(parse_overrides([pair]))


@given(st.text())
def test_no_setting_breaks_the_command_line(pair: str) -> None:
    with suppress(ConfigError):
        split_overrides(parse_overrides([pair]))


def test_the_projects_own_files_are_valid() -> None:
    found = check_paths([CONFIGS])
    assert found.problems == []
    assert found.count >= 8


def test_check_finds_problems_in_every_kind_of_file(tmp_path: Path) -> None:
    for folder in ("devices", "personas", "choreography"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.toml").write_text("nonsense = 1\n", encoding="utf-8")
    found = check_paths([tmp_path])
    assert found.count == 3
    for folder in ("devices", "personas", "choreography"):
        assert any(f"{folder}/x.toml:1: nonsense: " in problem for problem in found.problems)


def test_check_follows_a_device_to_its_persona(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text('persona = "nobody.toml"\n', encoding="utf-8")
    assert check_paths([path]).problems == [
        f"{path}:1: persona: there is no file {tmp_path / 'nobody.toml'}; "
        "write its path from the folder of this file, with / and .toml"
    ]


def test_the_personas_sections_have_a_fixed_order() -> None:
    persona = load_persona(TEDDY)
    message = persona.system_message()
    places = [message.index(part) for part in (persona.profile.details, persona.profile.context, persona.profile.style)]
    assert places == sorted(places)

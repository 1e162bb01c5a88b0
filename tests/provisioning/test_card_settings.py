"""Time zone, host name, wake word, quiet hours, memory, spending on the card; and what counts where a line is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.provision import provision as command
from companion.config.device import Device
from companion.config.unit import load_unit
from companion.errors import ConfigError
from companion.provisioning.device_file import check_installer_file
from tests.support.paths import CONFIGS
from tests.support.provisioned_unit import FILLED, TEMPLATE, Unit

Settings = dict[str, object]


def effect(device: Device) -> Settings:
    return {
        "timezone": device.timezone,
        "wake_word": device.ears.wake.word,
        "quiet_hours": device.conversation.quiet_hours,
        "memory": device.memory.mode,
        "daily": device.spending.daily,
        "monthly": device.spending.monthly,
        "volume": device.voice.speaker.volume,
        "region": device.character.region,
    }


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ('timezone = "Europe/Berlin"', "timezone", "Europe/Berlin"),
        ('timezone = "europe/berlin"', "timezone", "Europe/Berlin"),
        ('timezone = "Berlin"', "timezone", "Europe/Berlin"),
        ('time_zone = "New York"', "timezone", "America/New_York"),
        ("timezone = UTC", "timezone", "UTC"),
        ('wake_word = "hey jarvis"', "wake_word", "hey_jarvis"),
        ('wake_word = "Alexa"', "wake_word", "alexa"),
        ('quiet_hours = "19:30-06:15"', "quiet_hours", "19:30-06:15"),
        ('quiet_hours = "8pm - 7am"', "quiet_hours", "20:00-07:00"),
        ('quiet_hours = "12am–12pm"', "quiet_hours", "00:00-12:00"),
        ("quiet_hours = 20-7", "quiet_hours", "20:00-07:00"),
        ('quiet_hours = "20.00 to 7.00"', "quiet_hours", "20:00-07:00"),
        ('quiet_hours = "none"', "quiet_hours", ""),
        ("quiet_hours = off", "quiet_hours", ""),
        ('memory = "off"', "memory", "off"),
        ("memory = off", "memory", "off"),
        ('memory = "local"', "memory", "local"),
        ("[spending]\ndaily = 1.5", "daily", 1.5),
        ('[spending]\nmonthly = "20,50"', "monthly", 20.5),
        ("daily_limit = 2", "daily", 2.0),
    ],
)
def test_a_setting_of_the_card_counts(unit: Unit, line: str, name: str, value: object) -> None:
    unit.write_card(f'key = "sk-4f1c9a7e2b8d4c6f"\n{line}\n')
    assert unit.start().to_do == ()
    assert effect(unit.device)[name] == value


@pytest.mark.parametrize(
    ("line", "name", "sentence"),
    [
        ('timezone = "Mars/Phobos"', "timezone", "there is no such time zone"),
        ('timezone = "Europe/Berln"', "timezone", "Is it Europe/Berlin?"),
        ('timezone = "Berln"', "timezone", "Is it Europe/Berlin?"),
        ('timezone = "GMT+1"', "timezone", "there is no such time zone"),
        ('timezone = "../../etc/passwd"', "timezone", "there is no such time zone"),
        ('wake_word = "hey pirate"', "wake_word", "Choose one of these: okay_nabu"),
        ('quiet_hours = "yellow"', "quiet_hours", 'write it as "20:00-07:00"'),
        ('quiet_hours = "25:00-07:00"', "quiet_hours", 'write it as "20:00-07:00"'),
        ('quiet_hours = "13pm-7am"', "quiet_hours", 'write it as "20:00-07:00"'),
        ('quiet_hours = "07:00-07:00"', "quiet_hours", 'write it as "20:00-07:00"'),
        ('memory = "sometimes"', "memory", "write local"),
        ("[spending]\ndaily = 0", "daily", "an amount above 0"),
        ('[spending]\nmonthly = "much"', "monthly", "an amount above 0"),
        ("[spending]\ndaily = true", "daily", "an amount above 0"),
    ],
)
def test_a_wrong_one_is_a_sentence_and_the_devices_own_counts(unit: Unit, line: str, name: str, sentence: str) -> None:
    unit.write_card(f'key = "sk-4f1c9a7e2b8d4c6f"\n{line}\n')
    outcome = unit.start()
    assert sentence in unit.words
    assert len(outcome.to_do) == 1
    unit_as_shipped = effect(Device.model_validate({"persona": "p.toml"}))
    assert effect(unit.device)[name] == unit_as_shipped[name]
    assert "(what the file says is wrong)" in unit.words


@pytest.mark.parametrize("wrong", ['"loud"', "150", "-1", "true", '"80 dB"'])
def test_a_volume_that_is_none_is_a_quiet_one_and_the_report_says_so(unit: Unit, wrong: str) -> None:
    unit.write_card(FILLED.replace("volume = 80", f"volume = {wrong}"))
    unit.start()
    assert unit.device.voice.speaker.volume == 0.4
    assert "Until then it is 40." in unit.words
    assert "volume: 40 % (what the file says is wrong)" in unit.words


def test_a_region_that_is_none_is_named_with_what_counts(unit: Unit) -> None:
    unit.write_card(FILLED.replace('"international"', '"europe"'))
    unit.start()
    assert "Until then it is international." in unit.words
    assert "region: international (what the file says is wrong)" in unit.words


def test_what_the_file_does_not_say_is_in_the_report_too(unit: Unit) -> None:
    unit.write_card('key = "sk-4f1c9a7e2b8d4c6f"\n')
    unit.start()
    for line in (
        "volume: 100 % (the file does not say)",
        "region: international (the file does not say)",
        "timezone: the system's own (the file does not say)",
        "wake_word: okay_nabu (the file does not say)",
        "quiet_hours: 20:00-07:00 (the file does not say)",
        "memory: local (the file does not say)",
        "owner_page: closed until its button is held (the file does not say)",
        "spending.daily: no limit (the file does not say)",
    ):
        assert line in unit.words


def test_the_card_may_open_the_owners_page_at_each_start(unit: Unit) -> None:
    unit.write_card(FILLED.replace("owner_page = false", "owner_page = true"))
    unit.start()
    assert unit.device.owner.open
    assert "owner_page: open for a while after each start" in unit.words
    unit.write_card(FILLED.replace("owner_page = false", 'owner_page = "perhaps"'))
    unit.start()
    assert not unit.device.owner.open
    assert "write true or false" in unit.words


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('"Bear-7"', "bear-7\n"),
        ('"my bear"', None),
        ('"-x"', None),
        ('"x; reboot"', None),
        ('"a.b"', None),
        ("7", None),
    ],
)
def test_the_host_name_is_kept_for_the_kernel(unit: Unit, given: str, kept: str | None) -> None:
    unit.write_card(f'key = "sk-4f1c9a7e2b8d4c6f"\nhostname = {given}\n')
    outcome = unit.start()
    path = unit.credentials / "hostname"
    assert (path.read_text() if path.exists() else None) == kept
    assert bool(outcome.to_do) is (kept is None)
    unit.write_card("volume = 40\n")
    unit.start()
    assert not path.exists()


def test_the_template_names_every_setting_and_changes_nothing(unit: Unit) -> None:
    unit.write_card(TEMPLATE.replace('key = ""', 'key = "sk-4f1c9a7e2b8d4c6f"'))
    assert unit.start().to_do == ()
    for name in ("timezone", "quiet_hours", "wake_word", "memory", "hostname", "hidden", "[wifi2]", "[spending]"):
        assert name in TEMPLATE
    for persona in (CONFIGS / "personas").glob("*.toml"):
        assert persona.stem in TEMPLATE


def test_a_device_that_would_show_the_key_to_the_network_is_named(unit: Unit, tmp_path: Path) -> None:
    devices = tmp_path / "configs" / "devices"
    devices.mkdir(parents=True)
    persona = CONFIGS / "personas" / "teddy.toml"
    (devices / "toy.toml").write_text(f"persona = '{persona}'\n[character]\nbase_url = 'http://10.1.1.1/v1'\n")
    unit.write_card(FILLED)
    done = CliRunner().invoke(
        command,
        ["--boot", str(unit.boot), "--state", str(unit.state), "--configs", str(tmp_path / "configs"), "--dry-run"],
    )
    assert done.exit_code == 78
    assert "sends the key unencrypted" in " ".join(done.output.split())


@pytest.fixture
def own_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process gets its own time zone back."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("own_time_zone")
def test_the_clock_of_the_unit_goes_as_its_time_zone_says(tmp_path: Path) -> None:
    device = tmp_path / "device.toml"
    device.write_text(f"persona = '{CONFIGS / 'personas' / 'teddy.toml'}'\ntimezone = 'Asia/Tokyo'\n")
    load_unit(device)
    moment = datetime(2026, 11, 28, 5, 11, tzinfo=UTC)
    # What quiet hours, the night and the told clock are made from.
    assert moment.astimezone().strftime("%H:%M") == "14:11"
    assert datetime.fromtimestamp(moment.timestamp()).hour == 14


@pytest.mark.parametrize("zone", ["Mars/Phobos", "../../etc/passwd", "", "Europe", "/etc/localtime"])
def test_a_time_zone_that_does_not_exist_is_a_sentence(tmp_path: Path, zone: str) -> None:
    device = tmp_path / "device.toml"
    device.write_text(f"persona = 'p.toml'\ntimezone = '{zone}'\n")
    with pytest.raises(ConfigError, match="is no time zone here; write it as Europe/Berlin"):
        load_unit(device)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('timezone = ""', 'timezone = "UTC+8"', "timezone", "no such time zone. Write"),
        ('timezone = ""', 'timezone = "Beijing"', "timezone", "no such time zone. Write"),
        ('timezone = ""', 'timezone = "Europe/Berln"', "timezone", "Is it Europe/Berlin?"),
        ('country = ""', 'country = "EN"', "wifi.country", "the two letters of the country"),
        ('key = ""', "key = 'DASHSCOPE_API_KEY=sk-1234567890'", "key", "Put the key alone there"),
        ('key = ""', "key = 'https://keys.example.com/1'", "key", "Put the key alone there"),
    ],
)
def test_check_names_the_line_of_a_card_as_of_every_file(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    card = tmp_path / "companion.toml"
    text = (CONFIGS / "boot" / "companion.toml").read_text("utf-8")
    assert old in text
    card.write_text(text.replace(old, new, 1), encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1
    with pytest.raises(ConfigError) as caught:
        check_installer_file(card)
    [problem] = caught.value.problems
    assert problem.startswith(f"{card}:{line}: {key}: ")
    assert words in problem


def test_full_width_signs_of_a_time_and_the_path_of_a_persona_are_understood(tmp_path: Path) -> None:
    text = (CONFIGS / "boot" / "companion.toml").read_text("utf-8")
    text = text.replace('quiet_hours = ""', 'quiet_hours = "２０：００－０７：００"')
    (tmp_path / "companion.toml").write_text(text.replace('"teddy"', '"personas/teddy.toml"'), encoding="utf-8")
    check_installer_file(tmp_path / "companion.toml")

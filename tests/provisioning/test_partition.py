"""Provisioning from the card: forty broken files, locked and full cards, and power cuts at every instant."""

from __future__ import annotations

import errno
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from companion.cli.provision import provision as command
from companion.config.character import CharacterSettings
from companion.config.device import Device, load_device
from companion.config.persona import load_persona
from companion.errors import ConfigError
from companion.identity import read_unit_number
from companion.mind.api.key import find_key
from companion.provisioning.device_file import check_installer_file
from companion.provisioning.provision import Outcome, provision
from companion.provisioning.run import CONFIGS, Folders

KEY = "sk-4f1c9a7e2b8d4c6f"
PASSWORD = "sunshine&rain 77"
TEMPLATE = (CONFIGS / "boot" / "companion.toml").read_text("utf-8")
FILLED = (
    TEMPLATE.replace('key = ""', f'key = "{KEY}"')
    .replace('ssid = ""', 'ssid = "Nursery Net"')
    .replace('password = ""', f'password = "{PASSWORD}"')
    .replace('country = ""', 'country = "DE"')
    .replace('person = ""', 'person = "Ana"')
)
SERIAL = "10000000deadbeef"


@dataclass(frozen=True)
class Unit:
    """One card in one unit."""

    boot: Path
    state: Path
    machine: Path

    @property
    def folders(self) -> Folders:
        return Folders(self.boot, self.state, self.state / "credentials", self.state / "network", configs=CONFIGS)

    def put(self, data: str | bytes, name: str = "companion.toml") -> None:
        (self.boot / name).write_bytes(data.encode() if isinstance(data, str) else data)

    def start(self) -> Outcome:
        return provision(self.folders, machine_files=[self.machine])

    @property
    def report(self) -> str:
        return (self.boot / "companion-report.txt").read_bytes().decode("utf-8-sig")

    @property
    def words(self) -> str:
        """The report's words, without its line breaks."""
        return " ".join(self.report.split())

    @property
    def file(self) -> str:
        return (self.boot / "companion.toml").read_bytes().decode()

    @property
    def device(self) -> Device:
        return load_device(self.state / "device.toml")

    @property
    def key(self) -> str | None:
        path = self.state / "credentials" / "dashscope-key"
        if not path.exists():
            return None
        key = find_key(CharacterSettings(key_file=path))
        return key.reveal() if key else None

    @property
    def wifi(self) -> dict[str, str]:
        path = self.state / "credentials" / "wifi.json"
        return json.loads(path.read_text()) if path.exists() else {}


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return new_unit(tmp_path)


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)


def new_unit(folder: Path) -> Unit:
    for name in ("boot", "state", "network"):
        (folder / name).mkdir(exist_ok=True)
    machine = folder / "serial-number"
    machine.write_text(SERIAL)
    return Unit(folder / "boot", folder / "state", machine)


def test_a_filled_in_file_sets_the_unit_up(unit: Unit) -> None:
    unit.put(FILLED)
    outcome = unit.start()
    assert outcome.to_do == ()
    assert "ALL IS WELL" in unit.report
    assert unit.key == KEY
    assert unit.wifi == {"ssid": "Nursery Net", "password": PASSWORD, "country": "DE"}
    device = unit.device
    assert device.voice.speaker.volume == 0.8
    assert device.memory.person == "Ana"
    assert device.body == load_device(CONFIGS / "devices" / "toy.toml").body
    assert load_persona(device.persona).name == "Momo"


def test_the_secrets_are_blanked_and_every_other_byte_stays(unit: Unit) -> None:
    unit.put(FILLED.replace("\n", "\r\n"))
    unit.start()
    expected = FILLED.replace(KEY, "").replace(PASSWORD, "")
    assert unit.file == expected.replace("\n", "\r\n")


def test_only_root_can_read_what_was_stored(unit: Unit) -> None:
    unit.put(FILLED)
    unit.start()
    for path in (unit.state / "credentials").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert (unit.state / "credentials").stat().st_mode & 0o777 == 0o700
    assert (unit.state / "network" / "companion.nmconnection").stat().st_mode & 0o777 == 0o600


def test_the_report_is_readable_on_any_laptop_and_holds_no_secret_and_no_serial(unit: Unit) -> None:
    unit.put(FILLED)
    number = unit.start().number
    raw = (unit.boot / "companion-report.txt").read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 10
    assert read_unit_number(number) in unit.report
    for secret in (KEY, PASSWORD, SERIAL):
        assert secret not in unit.report


def test_a_second_start_changes_nothing_and_writes_nothing(unit: Unit) -> None:
    unit.put(FILLED)
    first = unit.start()
    times = {path: path.stat().st_mtime_ns for path in unit.boot.parent.rglob("*")}
    second = unit.start()
    assert second == first
    assert {path: path.stat().st_mtime_ns for path in unit.boot.parent.rglob("*")} == times
    assert unit.key == KEY


def test_networkmanager_gets_the_wifi(unit: Unit) -> None:
    unit.put(FILLED.replace("Nursery Net", "Küche 7").replace(PASSWORD, " back\\\\slash; "))
    unit.start()
    profile = (unit.state / "network" / "companion.nmconnection").read_text()
    # A name with other letters goes as its bytes.
    assert f"ssid={''.join(f'{byte};' for byte in 'Küche 7'.encode())}" in profile
    assert "psk=\\sback\\\\slash;\\s" in profile
    assert "key-mgmt=wpa-psk" in profile


def test_a_new_key_takes_the_old_ones_place_and_remove_takes_it_away(unit: Unit) -> None:
    unit.put(FILLED)
    unit.start()
    unit.put(unit.file.replace('key = ""', 'key = "sk-another-key-77"'))
    unit.start()
    assert unit.key == "sk-another-key-77"
    unit.put(unit.file.replace('key = ""', 'key = "remove"'))
    unit.start()
    assert unit.key is None
    assert 'key = "remove"' in unit.file


def test_the_wifi_stays_when_it_is_not_named_any_more_and_another_one_needs_its_own_password(unit: Unit) -> None:
    unit.put(FILLED)
    unit.start()
    unit.put('persona = "teddy"\n')
    unit.start()
    assert unit.wifi["password"] == PASSWORD
    unit.put('[wifi]\nssid = "Guests"\ncountry = "DE"\n')
    unit.start()
    assert unit.wifi == {"ssid": "Guests", "password": "", "country": "DE"}
    unit.put('[wifi]\nssid = "remove"\n')
    unit.start()
    assert unit.wifi == {}
    assert not (unit.state / "network" / "companion.nmconnection").exists()


def test_a_wrong_password_leaves_the_old_wifi_and_stays_in_the_file(unit: Unit) -> None:
    unit.put(FILLED)
    unit.start()
    wrong = '[wifi]\nssid = "Guests"\npassword = "short"\ncountry = "DE"\n'
    unit.put(wrong)
    assert unit.start().to_do[0].name == "wifi.password"
    assert unit.wifi["ssid"] == "Nursery Net"
    assert unit.file == wrong
    assert "short" not in unit.report


def test_a_password_without_its_wifi_is_not_lost(unit: Unit) -> None:
    alone = f'key = "{KEY}"\npassword = "{PASSWORD}"\n'
    unit.put(alone)
    unit.start()
    assert PASSWORD in unit.file
    assert KEY not in unit.file
    assert "wifi.ssid: is missing" in unit.words


def test_a_persona_file_beside_it_is_checked_and_taken_along(unit: Unit) -> None:
    own = (CONFIGS / "personas" / "teddy.toml").read_text("utf-8").replace('name = "Momo"', 'name = "Bruno"', 1)
    unit.put(own, "Bruno.toml")
    unit.put('persona = "bruno"\n')
    unit.start()
    assert load_persona(unit.device.persona).name == "Bruno"
    assert unit.device.persona.parent == unit.state
    unit.put(own.replace("[profile]", "[profil]"), "Bruno.toml")
    unit.start()
    assert "Bruno.toml cannot be used: profil: there is no such key here" in unit.words
    assert load_persona(unit.device.persona).name == "Momo"


def test_the_language_chooses_a_persona_that_speaks_it(unit: Unit) -> None:
    unit.put('language = "Chinese"\n')
    unit.start()
    assert load_persona(unit.device.persona).language == "zh"
    unit.put('language = "zh"\npersona = "teddy"\n')
    unit.start()
    assert "The persona speaks en" in unit.words


def test_a_fleets_salt_gives_a_number_that_its_maker_can_work_out(unit: Unit, tmp_path: Path) -> None:
    salted = FILLED.replace('salt = ""', 'salt = "batch 7 of the blue bears"')
    unit.put(salted)
    number = unit.start().number
    assert "batch 7" not in unit.file
    other = new_unit(tmp_path / "bench") if (tmp_path / "bench").mkdir() is None else unit
    other.put(salted)
    assert other.start().number == number
    (unit.state / "companion.db").write_bytes(b"memories")
    unit.put(FILLED.replace('salt = ""', 'salt = "another batch"'))
    assert unit.start().number == number
    assert "cannot be set any more" in unit.words
    assert "another batch" in unit.file


def test_a_secret_in_another_place_is_not_shown_either(unit: Unit) -> None:
    unit.put(f'name = "{KEY}"\nperson = "{PASSWORD} and more"\n[wifi]\nssid = "x"\npassword = "{PASSWORD}"\n')
    outcome = unit.start()
    assert KEY not in unit.report
    assert PASSWORD not in unit.report
    assert "looks like the key" in unit.words
    assert KEY not in json.dumps(outcome.as_json())


def rtf(text: str) -> bytes:
    return ("{\\rtf1\\ansi " + text.replace("\n", "\\par\n") + "}").encode()


def word(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("word/document.xml", text)
    return out.getvalue()


def edited(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return edit


Broken = tuple[str, Callable[[str], str | bytes], str, bool]
BROKEN: list[Broken] = [
    # what the installer did, how, a part of the sentence, whether the key is stored all the same
    ("tab for the equals sign", edited("volume = 80", "volume\t80"), "has another sign", True),
    ("tab before the name", edited("volume = 80", "\tvolume\t=\t80"), "ALL IS WELL", True),
    ("smart double quotes", edited(f'"{KEY}"', f"“{KEY}”"), "other quotation marks", True),
    ("smart single quotes", edited(f'"{KEY}"', f"‘{KEY}’"), "other quotation marks", True),
    ("German quotes", edited(f'"{KEY}"', f"„{KEY}“"), "other quotation marks", True),
    ("one straight, one smart", edited(f'"{KEY}"', f'"{KEY}”'), "other quotation marks", True),
    ("full-width signs", edited(f'key = "{KEY}"', f"key＝＂{KEY}＂"), "has another sign", True),
    ("no quotes", edited(f'"{KEY}"', KEY), "no quotation marks", True),
    ("no closing quote", edited(f'"{KEY}"', f'"{KEY}'), "lacks the quotation mark at its end", False),
    ("no opening quote", edited(f'"{KEY}"', f'{KEY}"'), "lacks the quotation marks", False),
    ("text behind the quotes", edited(f'"{KEY}"', f'"{KEY}" from Tom'), "more text behind", False),
    ("over several lines", edited(f'"{KEY}"', f'"""\n{KEY}\n"""'), "must stand in one line", False),
    ("a list", edited(f'"{KEY}"', f'["{KEY}"]'), "one value only", False),
    ("colon for the equals sign", edited("volume = 80", "volume: 80"), "has another sign", True),
    ("no sign at all", edited("volume = 80", "volume 80"), "write it with the sign =", True),
    ("wrong persona", edited('persona = "teddy"', 'persona = "tedy"'), "Is it teddy?", True),
    ("unknown persona", edited('persona = "teddy"', 'persona = "qqqq"'), "There is no such persona", True),
    ("wrong device", edited('device = "toy"', 'device = "toi"'), "Is it toy?", True),
    ("wrong setting", edited("volume = 80", "volumme = 80"), "Is it volume?", True),
    ("unknown setting", edited("volume = 80", "zzz = 80"), "There is no setting of this name", True),
    ("wrong table", edited("[wifi]", "[wiffi]"), "Is it [wifi]?", True),
    ("table not closed", edited("[wifi]", "[wifi"), "ALL IS WELL", True),
    ("capital letters", edited("volume = 80", "VOLUME = 80"), "ALL IS WELL", True),
    ("too loud", edited("volume = 80", "volume = 800"), "a number from 0 to 100", True),
    ("volume in words", edited("volume = 80", 'volume = "loud"'), "a number from 0 to 100", True),
    ("volume in percent", edited("volume = 80", 'volume = "80 %"'), "ALL IS WELL", True),
    ("volume missing", edited("volume = 80", "volume ="), "ALL IS WELL", True),
    ("wrong region", edited('"international"', '"europe"'), "international (a key from Singapore)", True),
    ("another word for the region", edited('"international"', '"Singapore"'), "ALL IS WELL", True),
    ("unknown language", edited('language = ""', 'language = "klingon"'), "No persona here speaks that", True),
    ("country in words", edited('country = "DE"', 'country = "Germany"'), "the two letters", True),
    ("country missing", edited('country = "DE"', 'country = ""'), "the Wi-Fi may stay off", True),
    ("short password", edited(f'"{PASSWORD}"', '"1234"'), "8 to 63 characters", True),
    ("network name too long", edited('"Nursery Net"', f'"{"x" * 40}"'), "too long for the name", True),
    ("the example key", edited(f'"{KEY}"', '"sk-xxxxxxxx"'), "still holds the example", False),
    ("key with a space", edited(f'"{KEY}"', f'"{KEY} {KEY}"'), "one long word", False),
    ("no key", edited(f'"{KEY}"', '""'), "there is none", False),
    ("key behind a number sign", edited("key = ", "# key = "), "remove the #", False),
    ("log in words", edited("transcripts = false", 'transcripts = "maybe"'), "true or false", True),
    ("twice", lambda text: text.replace("volume = 80", "volume = 80\nvolume = 20"), "stands twice", True),
    ("key twice", lambda text: f'key = "sk-older-key-1"\n{text}', "stands twice", True),
    ("inline table", lambda _: f'key = "{KEY}"\nwifi = {{ssid = "a", password = "{PASSWORD}"}}', "country", True),
    ("key behind [wifi]", lambda text: text.replace(f'key = "{KEY}"', "") + f'key = "{KEY}"', "ALL IS WELL", True),
    ("Windows line ends", lambda text: text.replace("\n", "\r\n"), "ALL IS WELL", True),
    ("old Mac line ends", lambda text: text.replace("\n", "\r"), "ALL IS WELL", True),
    ("byte order mark", lambda text: text.encode("utf-8-sig"), "ALL IS WELL", True),
    ("UTF-16", lambda text: text.encode("utf-16"), "UTF-16", True),
    ("UTF-16 without mark", lambda text: text.encode("utf-16-le"), "UTF-16", True),
    ("Windows letters", lambda text: text.replace("Ana", "Zoë").encode("cp1252"), "not saved as UTF-8", True),
    ("Windows smart quotes", lambda text: text.replace(f'"{KEY}"', f"“{KEY}”").encode("cp1252"), "other quot", True),
    ("half-written", lambda text: text[: text.index(KEY) + 5], "lacks the quotation mark at its end", False),
    ("zeros at the end", lambda text: text.encode() + b"\0" * 512, "damaged", True),
    ("a damaged line", lambda text: text.replace("volume = 80", "vo\x01\x02me = 80"), "damaged", True),
    ("RTF", rtf, "RTF", False),
    ("Word", word, "word processor", False),
    ("a web page", lambda text: f"<!DOCTYPE html><pre>{text}</pre>", "web page", False),
    ("a picture", lambda _: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "picture", False),
    ("noise", lambda _: bytes(range(256)) * 8, "not text", False),
    ("empty", lambda _: b"", "is empty", False),
    ("only zeros", lambda _: bytes(2500), "is empty", False),
    ("another file", lambda _: "Dear diary\ntoday was a good day\n", "No line of the file sets anything", False),
]


@pytest.mark.parametrize(("edit", "sentence", "stored"), [one[1:] for one in BROKEN], ids=[one[0] for one in BROKEN])
def test_every_mistake_ends_in_a_sentence_and_the_unit_talks_with_what_it_has(
    unit: Unit, caplog: pytest.LogCaptureFixture, edit: Callable[[str], str | bytes], sentence: str, stored: bool
) -> None:
    unit.put(edit(FILLED))
    outcome = unit.start()
    assert sentence in unit.words
    assert unit.key == (KEY if stored else None)
    for place in (unit.report, json.dumps(outcome.as_json()), caplog.text):
        for secret in (KEY, PASSWORD, "sk-older-key-1"):
            assert secret not in place
    # What is not in force stays where it is; what is in force is gone from the file.
    after = (unit.boot / "companion.toml").read_bytes()
    assert (KEY.encode() in after.replace(b"\0", b"")) is (not stored and KEY.encode() in edited_bytes(edit))
    assert load_persona(unit.device.persona).lines.offline


def edited_bytes(edit: Callable[[str], str | bytes]) -> bytes:
    data = edit(FILLED)
    return (data.encode() if isinstance(data, str) else data).replace(b"\0", b"")


@pytest.mark.parametrize("name", ["companion.toml.txt", "COMPANION.TOML", "companion (1).toml", "companion.txt"])
def test_a_file_under_another_name_is_read(unit: Unit, name: str) -> None:
    unit.put(FILLED, name)
    unit.start()
    assert unit.key == KEY
    assert KEY.encode() not in (unit.boot / name).read_bytes()
    assert ("another name" in unit.words) is (name.lower() != "companion.toml")


def test_a_second_file_is_pointed_out(unit: Unit) -> None:
    unit.put(FILLED)
    unit.put('key = "sk-in-the-copy-1"', "companion.toml.txt")
    unit.start()
    assert unit.key == KEY
    assert "another file like companion.toml" in unit.words


def test_without_a_file_the_report_says_so_and_the_unit_keeps_what_it_had(unit: Unit) -> None:
    unit.put(FILLED.replace('device = "toy"', 'device = "car"'))
    unit.start()
    (unit.boot / "companion.toml").unlink()
    unit.start()
    assert "There is no companion.toml" in unit.words
    assert "dash" in unit.device.body.channels
    assert unit.key == KEY


def test_a_folder_in_the_files_place_is_a_sentence(unit: Unit) -> None:
    (unit.boot / "companion.toml").mkdir()
    assert "cannot be read" in unit.start().to_do[0].text


def test_no_card_at_all_is_a_sentence(tmp_path: Path) -> None:
    unit = new_unit(tmp_path)
    unit.boot.rmdir()
    texts = [one.text for one in unit.start().to_do]
    assert any("cannot be read" in text for text in texts)
    assert load_persona(unit.device.persona).name


def refusing(number: int, only: Path) -> Callable[..., Any]:
    real = os.open

    def refuse(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and Path(path).parent == only:
            raise OSError(number, os.strerror(number), str(path))
        return real(path, flags, *rest, **more)

    return refuse


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EIO])
def test_on_a_locked_full_or_failing_card_the_secrets_are_stored_and_the_unit_says_where_they_still_stand(
    unit: Unit, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    unit.put(FILLED)
    monkeypatch.setattr(os, "open", refusing(number, unit.boot))
    outcome = unit.start()
    assert unit.key == KEY
    assert unit.file == FILLED
    said = (unit.state / "companion-report.txt").read_bytes().decode("utf-8-sig")
    assert "still stand in the file" in " ".join(said.split())
    assert any("report cannot be written" in one.text for one in outcome.to_do)
    assert KEY not in said


def test_where_the_units_own_disk_is_full_nothing_is_blanked(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    unit.put(FILLED)
    monkeypatch.setattr(os, "open", refusing(errno.ENOSPC, unit.state / "credentials"))
    unit.start()
    assert unit.file == FILLED
    assert "dashscope-key was not stored" in unit.words


class PowerCut(BaseException):
    """Nothing catches this."""


class Mains:
    """Cuts the power at one of the calls that change a disk; what was not forced to the disk is half lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        self.calls = 0
        self._unsafe: dict[int, int] = {}
        for name in ("write", "fsync", "replace", "unlink", "mkdir", "fchmod"):
            monkeypatch.setattr(os, name, self._wired(name, getattr(os, name)))

    def _wired(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            self.calls += 1
            self.left -= 1
            if self.left == 0:
                if name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                raise PowerCut
            result = real(*args, **more)
            if name == "write":
                self._unsafe[os.fstat(args[0]).st_ino] = args[0]
            elif name == "fsync":
                self._unsafe.pop(os.fstat(args[0]).st_ino, None)
            return result

        return call

    def lose(self, folder: Path) -> None:
        self.left = -1
        for path in folder.rglob("*"):
            if path.is_file() and path.stat().st_ino in self._unsafe:
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        self._unsafe.clear()


def test_the_power_may_fail_at_any_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither secret is ever in no place, and one more start puts everything right."""
    mains = Mains(monkeypatch)
    probe = tmp_path / "probe"
    probe.mkdir()
    unit = new_unit(probe)
    unit.put(FILLED)
    mains.calls = 0
    unit.start()
    calls, wanted = mains.calls, unit.file
    assert calls > 30
    for instant in range(1, calls + 1):
        folder = tmp_path / str(instant)
        folder.mkdir()
        unit = new_unit(folder)
        unit.put(FILLED)
        mains.left = instant
        with pytest.raises(PowerCut):
            unit.start()
        mains.lose(folder)
        on_card = "".join(path.read_bytes().decode() for path in unit.boot.glob("companion.toml*"))
        assert KEY in on_card or unit.key == KEY, instant
        assert PASSWORD in on_card or unit.wifi.get("password") == PASSWORD, instant
        unit.start()
        assert unit.key == KEY, instant
        assert unit.wifi["password"] == PASSWORD, instant
        assert unit.file == wanted, instant
        assert [path.name for path in unit.boot.iterdir() if path.suffix == ".new"] == []
        assert "ALL IS WELL" in unit.report


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.binary(max_size=120),
    after=st.binary(max_size=120),
    form=st.sampled_from([f"key = {KEY}", f'key = "{KEY}"', f"“{KEY}”", f'keey = "{KEY}', KEY, f"{KEY} = {KEY}"]),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "cp1252"]),
)
def test_garbage_never_stops_the_unit_and_never_lets_the_key_out(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, after: bytes, form: str, encoding: str
) -> None:
    unit = new_unit(tmp_path_factory.mktemp("card"))
    unit.put(before + b"\n" + form.encode(encoding, "replace") + b"\n" + after)
    outcome = unit.start()
    assert KEY not in unit.report
    assert KEY not in json.dumps(outcome.as_json())
    # Kept in one of the two places, whatever stands around it.
    card = (unit.boot / "companion.toml").read_bytes()
    assert form.encode(encoding, "replace") in card or unit.key == KEY
    assert load_persona(unit.device.persona).name


def test_the_command_tells_what_it_would_do_and_writes_nothing(unit: Unit) -> None:
    unit.put(FILLED.replace("volume = 80", "volume = 800"))
    arguments = ["--boot", str(unit.boot), "--state", str(unit.state), "--dry-run"]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 78
    assert "a number from 0 to 100" in done.output
    assert KEY not in done.output
    assert [path.name for path in unit.boot.iterdir()] == ["companion.toml"]
    assert list(unit.state.iterdir()) == []


def test_the_command_speaks_json_and_puts_the_key_where_systemd_looks_for_it(unit: Unit, tmp_path: Path) -> None:
    unit.put(FILLED)
    store = tmp_path / "credstore"
    arguments = ["--boot", str(unit.boot), "--state", str(unit.state), "--credstore", str(store), "--json"]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0
    told = json.loads(done.output)
    assert told["ok"] is True
    assert told["well"]["wifi"] == "Nursery Net"
    assert (store / "dashscope-key").read_text() == f"{KEY}\n"
    assert (store / "dashscope-key").stat().st_mode & 0o777 == 0o600


def test_a_cut_while_the_cards_names_were_being_changed_is_mended(unit: Unit) -> None:
    unit.put(FILLED)
    unit.start()
    # FAT can lose the old name before the new one stands.
    (unit.boot / "companion.toml").rename(unit.boot / "companion.toml.new")
    assert unit.start().to_do == ()
    assert "Nursery Net" in unit.file


def test_the_file_that_comes_with_the_card_is_well_and_a_changed_one_can_be_checked(unit: Unit) -> None:
    check_installer_file(CONFIGS / "boot" / "companion.toml")
    unit.put(FILLED.replace("volume = 80", "volume = 800"))
    with pytest.raises(ConfigError, match=r"companion\.toml: volume: line 18: write a number") as error:
        check_installer_file(unit.boot / "companion.toml")
    assert KEY not in str(error.value)

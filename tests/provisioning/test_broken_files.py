"""Forty broken files, other names, no card at all: every mistake ends in a sentence of the report."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from companion.config.persona import load_persona
from tests.support.provisioned_unit import FILLED, KEY, PASSWORD, Unit, new_unit


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
    (
        "unknown language",
        edited('language = ""', 'language = "klingon"'),
        "speaks that language. Choose one of these: ",
        True,
    ),
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
    unit.write_card(edit(FILLED))
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
    unit.write_card(FILLED, name)
    unit.start()
    assert unit.key == KEY
    assert KEY.encode() not in (unit.boot / name).read_bytes()
    assert ("another name" in unit.words) is (name.lower() != "companion.toml")


def test_a_second_file_is_pointed_out(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.write_card('key = "sk-in-the-copy-1"', "companion.toml.txt")
    unit.start()
    assert unit.key == KEY
    assert "another file like companion.toml" in unit.words


def test_without_a_file_the_report_says_so_and_the_unit_keeps_what_it_had(unit: Unit) -> None:
    unit.write_card(FILLED.replace('device = "toy"', 'device = "car"'))
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
    unit.write_card(before + b"\n" + form.encode(encoding, "replace") + b"\n" + after)
    outcome = unit.start()
    assert KEY not in unit.report
    assert KEY not in json.dumps(outcome.as_json())
    # Kept in one of the two places, whatever stands around it.
    card = (unit.boot / "companion.toml").read_bytes()
    assert form.encode(encoding, "replace") in card or unit.key == KEY
    assert load_persona(unit.device.persona).name

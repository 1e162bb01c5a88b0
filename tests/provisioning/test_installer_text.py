"""The installer's file as text and as lines."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import ConfigError
from companion.provisioning.installer_file import LONGEST, decode
from companion.provisioning.lines import Assignment, parse_lines

names = st.sampled_from(["persona", "key", "volume", "wifi.ssid", "name"])
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u0085\u2028\u2029\ufffd"), max_size=20
)
values = st.one_of(texts, st.integers(0, 10**9), st.booleans())
spaces = st.sampled_from(["", " ", "  ", "\t"])


def written(value: str | int | bool, literal: bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if literal and "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def entries(text: str) -> list[Assignment]:
    return [one for one in parse_lines(text) if isinstance(one, Assignment)]


@given(st.dictionaries(names, values), st.booleans(), spaces, spaces, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_plain_toml_file_means_what_it_means_in_toml(
    settings: dict[str, str | int | bool], literal: bool, before: str, around: str, end: str, comment: bool
) -> None:
    last = "# the end" if comment else ""
    lines = [
        f"{before}{name}{around}={around}{written(value, literal)}{around}{last}" for name, value in settings.items()
    ]
    text = end.join(["# the beginning", "", *lines])
    expected = tomllib.loads(text)
    for found in entries(text):
        wanted = expected
        for part in found.name.split("."):
            wanted = wanted[part]
        assert found.value == wanted or (found.value is None and wanted == "")
        assert found.problem == ""
    assert len(entries(text)) == len(settings)


@given(st.dictionaries(names, texts, min_size=1), st.booleans())
def test_the_place_of_a_value_is_just_its_place(settings: dict[str, str], literal: bool) -> None:
    text = "\n".join(f"{name} = {written(value, literal)} # {name}" for name, value in settings.items())
    for found in reversed(entries(text)):
        text = f'{text[: found.start]}""{text[found.end :]}'
    assert text == "\n".join(f'{name} = "" # {name}' for name in settings)


@given(st.text(max_size=300))
def test_any_text_can_be_parsed(text: str) -> None:
    for found in entries(text):
        assert 0 <= found.start <= found.end <= len(text)
        assert found.value is not None or found.problem or found.start == found.end


@given(st.binary(max_size=400))
def test_whatever_can_be_read_is_written_back_byte_for_byte(data: bytes) -> None:
    try:
        text = decode(data)
    except ConfigError:
        return
    assert text.encode(text.raw) == data
    assert len(text.text) == len(text.raw)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_that_editors_save_is_read(encoding: str) -> None:
    text = decode('name = "Küche"\r\nvolume = 80\r\n'.encode(encoding)).text
    assert [one.value for one in entries(text)] == ["Küche", 80]


def test_a_file_far_too_long_is_refused() -> None:
    with pytest.raises(ConfigError, match="far too long"):
        decode(b"#" * (LONGEST + 1))


def test_an_inline_table_and_dotted_names_are_understood() -> None:
    found = entries('wifi = { ssid = "Home", password = "a, b" }\nlog.transcripts = true')
    assert [(one.table, one.name, one.value) for one in found] == [
        ("wifi", "ssid", "Home"),
        ("wifi", "password", "a, b"),
        ("", "log.transcripts", True),
    ]

"""The line in which a key stands, and the words for what pydantic and tomllib say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.loading import to_toml
from companion.config.toml_lines import line_of
from companion.config.wording import explain_toml
from tests.support.paths import CONFIGS

TEXT = '''\
name = "toy"  # a = 1
story = """
name = "not this one"
[voice]
"""
[voice]
speaker.volume = 0.5
model = { path = "x" }
[[cast]]
name = "Ana"
[[cast]]
name = "Ben"
[cast.speech]
"espeak" = "en"
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("name",), 1),
        (("story",), 2),
        (("voice",), 6),
        (("voice", "speaker", "volume"), 7),
        (("voice", "model", "path"), 8),
        (("voice", "engine"), 6),
        (("cast", 0, "name"), 10),
        (("cast", 1, "name"), 12),
        (("voice", "speaker", "latency_ms"), 6),
        (("cast",), 9),
        (("voice", "speaker"), 7),
        (("ears", "wake"), None),
        (("cast", 2, "name"), None),
        ((), None),
    ],
)
def test_the_line_of_a_key_or_of_the_table_around_it(key: tuple[str | int, ...], line: int | None) -> None:
    assert line_of(TEXT, key) == line


@given(st.text(alphabet="ab.\"'[]={}#, \n", max_size=80), st.lists(st.sampled_from(["a", "b", 0]), max_size=3))
def test_whatever_the_text_the_line_is_one_of_its_own(text: str, key: list[str | int]) -> None:
    line = line_of(text, key)
    assert line is None or 1 <= line <= len(text.splitlines())


@given(
    st.dictionaries(
        st.sampled_from("abc"), st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), min_size=1), min_size=1
    )
)
def test_every_key_that_is_written_has_its_own_line(tables: dict[str, dict[str, int]]) -> None:
    text = to_toml(tables)
    for table, keys in tables.items():
        for key, value in keys.items():
            line = line_of(text, (table, key))
            assert line is not None
            assert text.splitlines()[line - 1] == f"{key} = {value}"


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.toml")), ids=lambda path: path.stem)
def test_every_key_of_the_projects_own_files_is_found(path: Path) -> None:
    text = path.read_text("utf-8")

    def keys(value: object, above: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                assert line_of(text, (*above, name)) is not None
                keys(inner, (*above, name))

    keys(tomllib.loads(text), ())


@given(st.text(alphabet="a=\"\\[]\n.,1'", max_size=30))
def test_every_message_of_the_toml_library_becomes_a_sentence(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, words = explain_toml(str(error))
        assert line is None or 1 <= line <= text.count("\n") + 1
        assert words.startswith("is not valid TOML: ")
        assert "column" not in words

"""Settings files that were made to stop a unit: they cost a sentence, never a minute."""

from __future__ import annotations

import ast
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion import toml_file
from companion.body.choreography import load_choreography
from companion.config.device import load_device
from companion.config.persona import load_persona
from companion.errors import ConfigError
from companion.models.catalogue import read_catalogue
from companion.provisioning.installer_file import read_installer_file
from companion.provisioning.values import Choices
from companion.toml_file import DEEPEST, LONGEST, parse_toml
from tests.support.paths import ROOT

LOADERS = [load_device, load_persona, load_choreography, read_catalogue]
PARTS = 50_000


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * PARTS) + " = 1",
        " . ".join(['"a"', "'a'", "a"] * (PARTS // 3)) + " = 1",
        "[" + ".".join(["a"] * PARTS) + "]",
        "x = { " + ".".join(["a"] * PARTS) + " = 1 }",
        "x = " + "[" * 100_000,
        'x = "' + r"\"" * 100_000,
    ],
    ids=["dotted", "quoted", "header", "inline", "nested", "quotation marks"],
)
def test_a_key_that_would_take_a_minute_is_refused_at_once(
    load: Callable[[Path], Any], text: str, tmp_path: Path
) -> None:
    path = tmp_path / "unit.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"unit\.toml.*: "):
        load(path)


@pytest.mark.parametrize("load", LOADERS)
def test_a_pipe_a_device_and_a_folder_are_no_settings_files(load: Callable[[Path], Any], tmp_path: Path) -> None:
    pipe, endless = tmp_path / "pipe.toml", tmp_path / "endless.toml"
    os.mkfifo(pipe)
    endless.symlink_to("/dev/zero")
    for path in (pipe, endless, tmp_path):
        with pytest.raises(ConfigError, match=r"cannot be read: (is not a plain file|Is a directory)"):
            load(path)


def test_a_link_to_a_settings_file_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "toy.toml"
    link.symlink_to(ROOT / "configs" / "personas" / "teddy.toml")
    assert load_persona(link).name == load_persona(link.resolve()).name


@pytest.mark.parametrize("load", LOADERS)
def test_no_more_of_a_file_is_read_than_a_settings_file_has(load: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text("".join(f"a{number} = 1\n" for number in range(LONGEST // 8)), encoding="utf-8")
    with pytest.raises(ConfigError, match="too long"):
        load(path)


def test_thousands_of_mistakes_are_told_as_a_hundred(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text("".join(f"a{number} = 1\n" for number in range(20_000)), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_device(path)
    assert len(caught.value.problems) == 101
    assert caught.value.problems[-1] == f"{path}: -: 19901 more problems; mend these first"


def test_the_card_s_file_may_be_no_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "companion.toml")
    said = read_installer_file(tmp_path, Choices({}, {}, ()))
    assert "is not a plain file" in said.diagnostics[0].text


@given(
    st.text("ab.\"'[]{}=\\#\n ,1", max_size=60),
    st.sampled_from(['"', "'", '"""', "'''", "#"]),
    st.integers(0, 2 * DEEPEST),
)
def test_what_is_refused_is_never_a_text_or_a_remark(around: str, quotes: str, parts: int) -> None:
    prose = "Tick. " * parts
    text = f"a = {quotes}{prose}{quotes} # {prose}\n" if quotes != "#" else f"# {prose}\n"
    assert parse_toml(text) == tomllib.loads(text)
    try:
        expected = tomllib.loads(around)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - any of tomllib's
            parse_toml(around)
    else:
        assert parse_toml(around) == expected


def test_toml_of_others_is_parsed_in_one_place() -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("companion", "studio")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import) and any(name.name == "tomllib" for name in node.names)
    }
    parser = Path(toml_file.__file__).relative_to(ROOT).as_posix()
    # The others read a list that is part of the program, and single values of lines that were cut before.
    assert users == {parser, "companion/mind/api/models.py", "companion/provisioning/lines.py"}

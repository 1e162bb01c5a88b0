"""The lines that the built-in personas say by themselves: several of a kind, in turn, and all of them speakable."""

from __future__ import annotations

from pathlib import Path

import pytest

from companion.config.persona import load_persona
from companion.languages.understood import understood
from companion.own_lines import OwnLines
from companion.voice.stage.stage import Stage
from tests.support.paths import CONFIGS

PERSONAS = sorted((CONFIGS / "personas").glob("*.toml"))


@pytest.mark.parametrize("file", PERSONAS, ids=lambda path: path.stem)
@pytest.mark.parametrize("kind", ["offline", "failed", "goodbye"])
def test_what_is_said_often_is_said_differently(file: Path, kind: str) -> None:
    persona = load_persona(file)
    own = OwnLines(persona.lines)
    said = [own.next(kind) for _ in range(4)]
    assert len(set(said)) == 3
    assert said[3] == said[0], "they take turns"


@pytest.mark.parametrize("file", PERSONAS, ids=lambda path: path.stem)
def test_every_own_line_is_spoken_whole(file: Path) -> None:
    persona = load_persona(file)
    for kind in type(persona.lines).model_fields:
        for line in getattr(persona.lines, kind) or ():
            stage = Stage(persona.name, understood(persona.language))
            spoken = "".join(part for part in [*stage.feed(line), *stage.close()] if isinstance(part, str))
            assert spoken.strip() == line

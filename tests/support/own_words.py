"""Wake words of one's own for tests: tiny ones, that hear nothing or everything."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.config.word_file import Card, SecondLook, WordFile
from companion.ears.wake_custom import second_look as second_look_module

CONTEXT = 16
ENGLISH = "en"


def second_look(weight: float = 1.0) -> SecondLook:
    return SecondLook(pronunciations=("HH EY M OW M OW",), weight=weight, center=-1, scale=1)


def own_word(phrase: str = "hey momo", *, bias: float = -9.0, context: int = CONTEXT, **card: Any) -> WordFile:
    """A word whose head gives `bias`, whatever it hears."""
    size, kept, hidden = context * 96, 4, 2
    arrays = {
        "mean": np.zeros(size),
        "scale": np.ones(size),
        "directions": np.zeros((size, kept)),
        "w1": np.zeros((3, kept, hidden)),
        "b1": np.zeros((3, hidden)),
        "w2": np.zeros((3, hidden)),
        "b2": np.full(3, bias),
        "word": np.ones((5, kept)),
        "others": np.zeros((0, kept)),
    }
    settings = {"language": ENGLISH, "seconds": 1, "threshold": 1, "threshold_alone": 2} | card
    return WordFile(
        Card(phrase=phrase, context=context, **settings),
        {name: value.astype(np.float32) for name, value in arrays.items()},
    )


def scripted_child(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """The second look's child runs this script in place of the real one."""
    program = folder / "child"
    program.write_text(
        f"#!{sys.executable}\nimport struct, sys, time\n"
        "def read(n):\n    data = sys.stdin.buffer.read(n)\n    data or sys.exit()\n    return data\n"
        "def question():\n    n, word = struct.unpack('<IB', read(5))\n    read(n)\n    return n, word\n"
        "def say(data):\n    sys.stdout.buffer.write(data)\n    sys.stdout.buffer.flush()\n"
        f"{script}\n"
    )
    program.chmod(0o700)
    monkeypatch.setattr(second_look_module, "is_installed", lambda: True)
    monkeypatch.setattr(sys, "executable", str(program))

"""Text of others on a terminal and in the log."""

from __future__ import annotations

import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.plain_text import json_lines, one_line
from companion.service.systemd import OneLineFormatter


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, 你好, ¡olé!", "plain words, 你好, ¡olé!"),
        ("\x1bcgone\x07", "\\x1bcgone\\x07"),
        ("\x9b2J\x9d0;title\x9c", "\\x9b2J\\x9d0;title\\x9c"),
        ("hello\r\n  12  > forged", "hello   12  > forged"),
        ("over\rwritten\u2028next", "over written next"),
        ("safe \u202egnp.exe", "safe \\u202egnp.exe"),
        ("👩\u200d🚀 می\u200cخواهم ❤️", "👩\u200d🚀 می\u200cخواهم ❤️"),
    ],
)
def test_what_cannot_be_seen_is_shown(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(st.text())
def test_no_text_leaves_its_line_or_controls_the_terminal(text: str) -> None:
    for shown in (one_line(text), *json_lines({"said": text}).split("\n")):
        assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cs", "Zl", "Zp"}
        assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    assert json.loads(json_lines({"said": text})) == {"said": text}


def test_a_line_of_the_log_is_one_line() -> None:
    record = logging.LogRecord("companion", logging.INFO, "", 0, "heard text=%s", ("hi\nERROR forged \x1b[2J",), None)
    assert OneLineFormatter("%(levelname)s %(message)s").format(record) == "INFO heard text=hi ERROR forged \\x1b[2J"

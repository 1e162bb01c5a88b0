"""Text in another notation: TeX, HTML entities, escapes, and an answer that is JSON. Pure.

Each function looks at one place and returns what is said there, or None if it is ordinary text. Signs of arithmetic
stay signs: every voice has words of its language for them.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

from companion.voice.stage.scanner import Incomplete, Lookahead, Token

_LONGEST_FORMULA = 160
_LONGEST_JSON = 8000
_LONGEST_ENTITY = 10
_CLOSES = {"\\(": "\\)", "\\[": "\\]", "$$": "$$", "$": "$"}
_COMMANDS = {
    "times": "×", "cdot": "×", "ast": "×", "div": "÷", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥",
    "ne": "≠", "neq": "≠", "approx": "≈", "infty": "∞", "pi": "π", "circ": "°", "to": "→", "rightarrow": "→",
    "ldots": "…", "cdots": "…", "dots": "…", "quad": " ", "qquad": " ", "left": "", "right": "", "displaystyle": "",
}  # fmt: skip
_RAISED = {"2": "²", "3": "³"}
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\s*\{([^{}]*)\}")
_WORDS = re.compile(r"\\(?:text|mathrm|mathbf|mathit|textbf|operatorname|boxed|overline|underline)\s*\{([^{}]*)\}")
_POWER = re.compile(r"\^\s*(?:\{([^{}]*)\}|(\w))")
_INDEX = re.compile(r"_\s*(?:\{([^{}]*)\}|(\w))")
_COMMAND = re.compile(r"\\([A-Za-z]+)\s*")
_SPACES = re.compile(r"\\[,;:! ]")
_IS_FORMULA = re.compile(r"[\\^_=+×<>]|^\s*-?\d[\d.,]*\s*$|^\s*[A-Za-z]\s*$|\d\s*[-*/]\s*\d")
_IN_CALL = frozenset("0123456789.,+-*/^= ")
_IN_NUMBER = frozenset(" .,:;+-–−*×/÷^=<>%°$€£¥₩'’")
_BEFORE_NUMBER = frozenset("+-−$€£¥₩<>≈~")
_LONGEST_NUMBER = 40
_TEXT_KEYS = (
    "speech", "text", "say", "spoken", "reply", "response", "answer", "content", "message", "dialogue", "utterance",
    "output",
)  # fmt: skip
_FEELING_KEYS = ("emotion", "mood", "gesture", "action", "expression")


def formula(look: Lookahead, start: int) -> Token | None:
    r"""`\(7\)`, `\[x\]`, `$3 \times 4$`, `\boxed{12}`: what they contain. Not the prices in `$5 or $6`."""
    for opening, closing in _CLOSES.items():
        if look.starts_with(opening, start):
            inner = start + len(opening)
            end = _find(look, closing, inner)
            said = look.text[inner:end] if end else ""
            if not end or not said.strip() or (opening[0] == "$" and not _reads_as_formula(look, said, end, closing)):
                return None
            return _said(end + len(closing), said)
    if look.text[start] != "\\":
        return None
    name = start + 1
    while look.at(name).isascii() and look.at(name).isalpha() and name < start + 16:
        name += 1
    if look.at(name) == "{" and name > start + 1:
        end = name
        for _ in range(2 if look.text[start + 1 : name].endswith("frac") else 1):
            closed = _find(look, "}", end + 1) if look.at(end) == "{" else 0
            if not closed:
                return None
            end = closed + 1
        return _said(end, look.text[start:end])
    if look.text[start + 1 : name] in _COMMANDS and not look.at(name).isalpha():
        return _said(name, look.text[start:name])
    return None


def called(look: Lookahead, start: int) -> Token | None:
    """`(3)` in `f(3) = 6`: the bracket behind a letter holds a number or one letter, so nobody does anything in it."""
    if look.text[start] != "(" or not look.at(start - 1).isalpha():
        return None
    letters = 0
    for index in range(start + 1, start + 12):
        ch = look.at(index)
        if ch == ")":
            said = look.text[start + 1 : index]
            return Token(index + 1, "text", f"({said})") if any(map(str.isalnum, said)) else None
        letters += ch.isascii() and ch.isalpha()
        if not (ch in _IN_CALL or (ch.isascii() and ch.isalpha())) or not ch or letters > 1:
            return None
    return None


def number_in_brackets(look: Lookahead, start: int) -> Token | None:
    """`(1984)`, `(555) 123`, `(3 + 4)`, `(50%)`: nobody does anything in brackets without a letter. Not `(:3)`."""
    if (first := look.at(start + 1)) not in _BEFORE_NUMBER and not first.isdigit():
        return None
    for index in range(start + 1, start + _LONGEST_NUMBER):
        ch = look.at(index)
        if ch in (")", "）"):
            is_number = any(map(str.isdigit, look.text[start + 1 : index]))
            return Token(index + 1, "text", look.text[start : index + 1]) if is_number else None
        if not (ch.isdigit() or (ch and ch in _IN_NUMBER)):
            return None
    return None


def is_number(said: str) -> bool:
    """Whether a text has digits and nothing else that could be done: `7`, `7:30`, `$5!`."""
    return any(map(str.isdigit, said)) and not any(map(str.isalpha, said))


def entity(look: Lookahead, start: int) -> Token | None:
    """`&amp;`, `&#39;`, `&hellip;`: the character, which is read again."""
    for index in range(start + 1, start + _LONGEST_ENTITY):
        ch = look.at(index)
        if ch == ";":
            written = look.text[start : index + 1]
            if written == "&lt;" and (closing := _find(look, "&gt;", index + 1)):
                return Token(closing + 4, "again", html.unescape(look.text[start : closing + 4]))
            character = html.unescape(written).replace("\xa0", " ")
            return None if character == written else Token(index + 1, "again", character)
        if not (ch.isalnum() or (ch == "#" and index == start + 1)):
            return None
    return None


def escape(look: Lookahead, start: int) -> Token | None:
    r"""A line end or a character that was escaped once too often: `\n`, `\t`, `\u00e9`."""
    kind, after = look.at(start + 1), look.at(start + 2)
    if kind in ("n", "t", "r") and not (after.islower() and after.isascii()):
        return Token(start + 2, "again", "\n" if kind == "n" else " ")
    if kind == "u" and after and after in "0123456789abcdefABCDEF":
        look.at(start + 5)
        digits = look.text[start + 2 : start + 6]
        if re.fullmatch(r"[0-9a-fA-F]{4}", digits) and not "d800" <= digits.lower() <= "dfff":
            return Token(start + 6, "again", chr(int(digits, 16)))
    return None


def json_answer(look: Lookahead, start: int) -> Token | None:
    """An answer that is a JSON object: the text in it, behind its feeling in brackets. Waits until it is whole."""
    if look.at(look.skip(" \t\r\n", start + 1)) != '"':
        return None
    try:
        value, end = json.JSONDecoder().raw_decode(look.text, start)
    except (json.JSONDecodeError, RecursionError):
        if look.final or len(look.text) - start > _LONGEST_JSON:
            return None
        raise Incomplete from None
    said = _text_in(value)
    if not said:
        return None
    feeling = next((one for key in _FEELING_KEYS if isinstance(one := value.get(key), str) and one.isprintable()), "")
    return Token(end, "again", f"({feeling}) {said}" if feeling and not set("()") & set(feeling) else said)


def _text_in(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and depth < 4:
        named = {str(key).casefold(): one for key, one in value.items()}
        return next((text for key in _TEXT_KEYS if (text := _text_in(named.get(key), depth + 1))), "")
    return " ".join(_text_in(one, depth + 1) for one in value) if isinstance(value, list) and depth < 4 else ""


def _find(look: Lookahead, closing: str, start: int) -> int:
    """Where `closing` stands on this line; 0 if it does not."""
    for index in range(start, start + _LONGEST_FORMULA):
        ch = look.at(index)
        if ch in ("", "\n"):
            return 0
        if ch == closing[0] and look.starts_with(closing, index):
            return index
    return 0


def _reads_as_formula(look: Lookahead, said: str, end: int, closing: str) -> bool:
    """Whether it is one between dollar signs, and not two prices."""
    if said[0].isspace() or said[-1].isspace() or (closing == "$" and look.at(end + 1).isdigit()):
        return False
    return _IS_FORMULA.search(said) is not None


def _said(end: int, tex: str) -> Token:
    text = _SPACES.sub(" ", tex)
    for _ in range(4):
        text = _WORDS.sub(r"\1", _ROOT.sub(r"√\1", _FRACTION.sub(r"\1/\2", text)))
    text = _POWER.sub(lambda found: _raised(found[1] or found[2] or ""), text)
    text = _INDEX.sub(lambda found: found[1] or found[2] or "", text)
    text = _COMMAND.sub(lambda found: f" {_COMMANDS.get(found[1], found[1])} ", text)
    text = " ".join(re.sub(r"[\\{}$\[\]【】|`#]", "", text).replace("*", "×").split())
    return Token(end, "text", text) if text else Token(end, "gap")


def _raised(exponent: str) -> str:
    return _RAISED.get(exponent, f"^{exponent}")

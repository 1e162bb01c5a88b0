"""Lines that begin with a label: `OOC: ...`, `Thought: ...`, and answers like forms (`mood: happy`, `reply: Hi`). Pure.

What a model says about its play, or thinks, is not spoken: from its label to the end of the line; where the label
stands on a line of its own, the paragraph. An answer is a form where it begins with such a line or with a feeling, or
with the label of what is said if that is in small letters or a line with a feeling follows: only what is said in it is
spoken, without its label. Footnotes and the addresses of links at the end of a text are for the eye.
"""

from __future__ import annotations

import re
from functools import cache

from companion.languages.understood import Understood
from companion.voice.stage.scanner import Incomplete, Lookahead, Token

_MARKS = frozenset("*_")
_OPENS = "*_#>- \t"
_LONGEST_MARK = 8
_LONGEST_LABEL = 40
_LONGEST_FEELING = 60
_REACH = 400
"""Code points that are held back at most, to see how a paragraph or a line ends."""
_ENDS = re.compile(r"[.!?…。！？]")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,20}\]:|\[[^\]\n]{1,30}\]:[ \t]*<?https?://", re.IGNORECASE)
_LONGEST_FOOTNOTE = 48
_FIELD = re.compile(r"[ \t]{0,8}[a-z][a-z_]{1,20}[ \t]{0,2}:(?=\s|\Z)")
_FIELD_SO_FAR = re.compile(r"[ \t]{0,8}[a-z_]{0,21}[ \t]{0,2}:?")
_BLOCK = re.compile(r"[ \t]*[|>][-+]?(?=\s)")


@cache
def _labels(languages: Understood) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """A label with its colon and the marks around it, and all labels in small letters."""
    speech = languages.speech
    kinds = {"unspoken": speech.unspoken_labels, "feeling": speech.feeling_labels, "said": speech.spoken_labels}
    groups = "|".join(
        f"(?P<{kind}>{'|'.join(map(re.escape, sorted(words, key=len, reverse=True))) or '(?!)'})"
        for kind, words in kinds.items()
    )
    opens = rf"(?P<marks>[{re.escape(_OPENS)}]{{0,{_LONGEST_MARK}}})"
    pattern = rf"{opens}(?:{groups})(?P<closes>[*_]{{0,3}}[ \t]{{0,2}}[:：][*_]{{0,3}})"
    return re.compile(pattern, re.IGNORECASE), tuple(frozenset().union(*kinds.values()))


class Labels:
    """Finds the labels of one answer. Ask it at every token, in order, and tell it where lines end."""

    def __init__(self, languages: Understood) -> None:
        self._languages = languages
        self._hides_line = False
        self._is_form = False

    def end_line(self) -> None:
        """A line ends."""
        self._hides_line = False

    def token(
        self, look: Lookahead, start: int, *, begins_sentence: bool, begins_line: bool, begins_answer: bool
    ) -> Token | None:
        """What is not spoken at `start`. `begins_answer`: nothing was spoken yet."""
        if self._hides_line:
            return Token(_line_end(look, start), "gap")
        if not begins_sentence:
            return None
        if begins_line and look.text[start] == "[" and _is_footnote(look, start):
            return self._hide(look, start)
        found = self._label(look, start)
        if found is None:
            return self._hide_field(look, start) if begins_line and self._is_form else None
        if found["unspoken"]:
            self._is_form |= begins_answer
            if begins_line and (end := self._paragraph(look, found.end())):
                return Token(end, "gap")
            return self._hide(look, start)
        if not begins_line or not (begins_answer or self._is_form):
            return None
        if found["feeling"]:
            end = _line_end(look, start)
            value = look.text[found.end() : end].strip(" \t\r\"'*_,")
            if (
                not look.at_line_end(end)
                or len(value) > _LONGEST_FEELING
                or (_ENDS.search(value) and not self._is_form)
            ):
                return None
            self._is_form = True
            return Token(end, "direction", value)
        if not (self._is_form or found["said"].islower() or self._leads_a_form(look, found.end())):
            return None
        self._is_form = True
        look.at(found.end() + 4)
        block = _BLOCK.match(look.text, found.end())
        return Token(block.end() if block else found.end(), "gap")

    def _hide(self, look: Lookahead, start: int) -> Token:
        self._hides_line = True
        return Token(_line_end(look, start), "gap")

    def _label(self, look: Lookahead, start: int) -> re.Match[str] | None:
        """The label at `start`. Raises `Incomplete` while it may become one."""
        pattern, labels = _labels(self._languages)
        text = look.text[start : start + _LONGEST_LABEL]
        found = pattern.match(look.text, start, start + _LONGEST_LABEL)
        if found is None or (found.end() == len(look.text) and not look.final):
            begun = text.lstrip(_OPENS).casefold()
            word = begun.rstrip("*_ \t")
            may_be = any(label.startswith(begun) or label == word for label in labels)
            if not look.final and len(look.text) - start < _LONGEST_LABEL and (found or may_be):
                raise Incomplete
        if (
            found
            and set("*_") & set(found["marks"])
            and found.group()[-1] not in "*_"
            and found.group()[-2] not in "*_"
        ):
            # `*Thought: I am tired* Hello!`: the marks close later.
            return None
        return found

    def _paragraph(self, look: Lookahead, start: int) -> int:
        """Where the paragraph ends whose label stands alone on its line; 0 if it does not, or nothing follows."""
        line = look.skip(" \t\r", start)
        if look.at(line) != "\n":
            return 0
        pattern, _ = _labels(self._languages)
        for found in re.finditer(r"\n[ \t\r]*", look.text[: start + _REACH][line + 1 :]):
            end = line + 1 + found.end()
            if look.at(end) == "\n" or (self._label(look, end) and pattern.match(look.text, end)):
                return line + 1 + found.start()
        if not look.final and len(look.text) < start + _REACH:
            raise Incomplete
        return 0

    def _leads_a_form(self, look: Lookahead, start: int) -> bool:
        """Whether the line behind this one begins with a label that is not spoken."""
        end = look.text.find("\n", start, start + _REACH)
        if end < 0:
            look.at(start + _REACH)
            return False
        found = self._label(look, end + 1) if look.at(end + 1) else None
        return found is not None and not found["said"]

    def _hide_field(self, look: Lookahead, start: int) -> Token | None:
        """Another field of a form: `intensity: 0.5`."""
        found = _FIELD.match(look.text, start)
        if not look.final and _FIELD_SO_FAR.fullmatch(look.text, start):
            raise Incomplete
        return self._hide(look, start) if found else None


def _line_end(look: Lookahead, start: int) -> int:
    """Where the line ends, as far as it has arrived."""
    end = look.text.find("\n", start)
    return end if end >= 0 else len(look.text)


def _is_footnote(look: Lookahead, start: int) -> bool:
    for index in range(start, start + _LONGEST_FOOTNOTE):
        if look.at(index) in ("", "\n"):
            break
        if _FOOTNOTE.match(look.text[start : index + 1]):
            return True
        if look.text[index] == "]" and look.at(index + 1) != ":":
            return False
    return False

"""Whether words heard over an answer are the answer itself.

Pure.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

ECHO = 0.6
"""So much of what is heard over an answer must be the answer's own words to be an echo ..."""
LATELY = 14
"""... and be among so many of its last words: those of five seconds."""

_SIGN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


def is_echo(words: str, spoken: str) -> bool:
    """Whether these words are what was just spoken, heard back: most of them occur there, in the same order.

    `spoken` is the text so far; only its end counts. Words are compared, and signs where a script has no words.
    """
    heard, said = _signs(words), _signs(spoken)[-LATELY:]
    same = sum(block.size for block in SequenceMatcher(None, said, heard, autojunk=False).get_matching_blocks())
    return same >= ECHO * len(heard) > 0


def _signs(text: str) -> list[str]:
    return _SIGN.findall(text.lower())

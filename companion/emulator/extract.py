"""Summaries without a model: sentences as they were said. Pure."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[^.!?。！？…\n]+(?:[.!?。！？…]+[”\"'）)]*|\n|$)")
_MOST_SENTENCES = 40


def sentences(text: str) -> list[str]:
    """The text's sentences, without the space around them."""
    return [found for one in _SENTENCE.findall(text) if (found := one.strip()) and any(map(str.isalnum, found))]


def summary(text: str, most: int = _MOST_SENTENCES) -> str:
    """The first sentences of a text, none of them twice, and without its headings."""
    found = (sentence for sentence in sentences(text) if not sentence.endswith((":", "：")))
    return "\n".join(list(dict.fromkeys(found))[:most])

"""What a policy says of memory, as the mind keeps to it. Pure.

The mind knows no rules of language for that: whoever builds it gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from companion.config.policy import MemoryRules


def _as_it_stands(said: str) -> str:
    return said


def _no_line(_kind: str, _name: str) -> str:
    return ""


def _anything(_text: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Discretion:
    """By default everything is kept, of whoever gives a name."""

    rules: MemoryRules = field(default_factory=MemoryRules)
    """How long words are kept, and who gets the memories of somebody."""
    clean: Callable[[str], str] = _as_it_stands
    """Takes private details out of what was said, before it is kept or sent."""
    line: Callable[[str, str], str] = _no_line
    """What is said of that kind (`ask_word`), to somebody of that name."""
    may_keep: Callable[[str], bool] = _anything
    """Whether the sentence of a fact may be kept. Called on the store's thread, too."""

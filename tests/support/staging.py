"""One answer through the stage, as tests look at it."""

from __future__ import annotations

from collections.abc import Iterable

from companion.events import Cue
from companion.voice.stage.stage import Stage


def played(deltas: Iterable[str], name: str | None = "") -> tuple[str, list[Cue]]:
    """What is spoken of an answer that arrives in these pieces, and its cues."""
    stage = Stage(name)
    pieces = [piece for delta in deltas for piece in stage.feed(delta)] + stage.close()
    return "".join(one for one in pieces if isinstance(one, str)), [one for one in pieces if isinstance(one, Cue)]


def said(text: str, name: str | None = "") -> str:
    """What is spoken of an answer."""
    return played([text], name)[0]


def shown(text: str, name: str | None = "") -> tuple[str, list[str]]:
    """What is spoken of an answer, and what each cue shows: its gesture, or else its emotion.

    The answer comes whole, and again letter by letter: it must not make a difference.
    """
    whole = played([text], name)
    assert played(text, name) == whole
    return whole[0], [cue.gesture or cue.emotion or "" for cue in whole[1]]

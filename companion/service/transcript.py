"""A conversation as readable lines: what was understood, said and felt. Pure.

For a person who looks on at a terminal. It is no log: nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from companion.plain_text import one_line


def transcript_line(kind: str, fields: Mapping[str, Any], name: str, user: str = "you") -> str | None:
    """The line for one event of docs/events.md; None for an event that a person need not see.

    `name` is the character's.
    """
    match kind:
        case "wake":
            return f"{name} is awake and listens."
        case "utterance":
            return f"{user}: {one_line(fields['text'])}"
        case "heard" if fields["text"]:
            broken_off = {"interrupted": " (interrupted)", "taken_back": " (taken back)"}.get(fields["reason"], "")
            return f"{name}: {one_line(fields['text'])}{broken_off}"
        case "cue":
            return f"      * {fields['emotion'] or fields['gesture']}"
    return None

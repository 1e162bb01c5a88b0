"""What a language's `enrolment.toml` says: how a unit asks to be called, to learn a voice."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from companion.languages.loader import Part, filled_with


class EnrolmentLines(Part):
    """`enrolment.toml`: what a device says while it learns how somebody calls it."""

    begin: Annotated[str, filled_with("phrase")]
    """What it will do; with its wake word as `{phrase}`."""
    first: str
    """Asks to be called."""
    again: Annotated[tuple[str, ...], Field(min_length=1)]
    """The same, the next times, in turn."""
    nothing: str
    """It heard nobody, and asks again; so do the following three."""
    quiet: str
    loud: str
    different: str
    """That was another word, or more than one."""
    learning: str
    done: str
    failed: str
    """It has not learnt it."""
    room: Annotated[str, filled_with("minutes")]
    """That it listens to the room now, for `{minutes}`."""
    room_over: str
    """That it does not any more."""
    no_word: str
    """Asked to learn by voice: that it is called by no word that could learn."""
    guest: str
    """The same, asked by a guest: that it learns no guest's voice."""

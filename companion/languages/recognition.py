"""What a language's `recognition.toml` says: how a unit finds out who speaks, and that it forgets everybody.

The English file explains the format for whoever writes another language.
"""

from __future__ import annotations

from typing import Annotated

from companion.languages.loader import Part, Regex, filled_with


class RecognitionLines(Part):
    """`recognition.toml`. For a key that is left out, the English lines stand in."""

    new_word: tuple[Annotated[str, filled_with("name")], ...] = ()
    """Asks a new person, who says they are `{name}`, to choose a secret word."""
    right_word: tuple[Annotated[str, filled_with("name")], ...] = ()
    """That was the word, or it is kept now: it knows `{name}`."""
    wait_word: tuple[str, ...] = ()
    """Too many other words were said: later."""
    reset: tuple[str, ...] = ()
    """It forgets everything and begins anew."""
    word_is: tuple[Regex, ...] = ()
    """What people say before the word itself, in small letters: "my word is"."""

    def lines(self) -> dict[str, tuple[str, ...]]:
        """What is said, by kind."""
        return {kind: getattr(self, kind) for kind in ("new_word", "right_word", "wait_word", "reset")}

"""What a language's `private.toml` says: how people tell who they are and where they are found.

The English file explains the format for whoever writes another language.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from companion.languages.loader import Part, Regex, WordList, WordSet


class PrivateWords(Part):
    """Patterns over the words as speech to text gives them: any letters, straight apostrophes, single blanks, none
    between the signs of unspaced writing; in spaced writing a match begins and ends at a word's border. What the group
    `private` matches is taken out, or the whole where there is no such group."""

    word_tables: ClassVar[dict[str, str]] = {"number": "digits"}

    digits: dict[str, WordList] = Field(default_factory=dict)
    """The words of each number; `{number}` in a pattern is any number of the table, in words or digits."""
    joints: WordSet = frozenset()
    """What may stand between two numbers of one long number, such as a telephone number."""
    full_name: tuple[Regex, ...] = ()
    """`private` are the names behind the first one, up to where other words begin (`names.toml`). Where there is a
    group `first` it has to be a common first name."""
    family_names: WordSet = frozenset()
    """Family names that are other words, too: `king`, `brown`."""
    name_particles: WordSet = frozenset()
    """Words that stand before a family name: `von`, `de`."""
    address: tuple[Regex, ...] = ()
    phone: tuple[Regex, ...] = ()
    email: tuple[Regex, ...] = ()
    school: tuple[Regex, ...] = ()
    account: tuple[Regex, ...] = ()
    """Numbers of accounts and cards, passwords."""
    instead: dict[str, str] = Field(default_factory=dict)
    """What stands in its place, by kind: `address = "(an address)"`; nothing where there is none."""

"""What a language's files say about memory: facts, names, introductions, kinds of utterances, and words to look up.

The algorithms that use them are in `companion.mind.memory`. Each file may be missing, and each key has a default with
which nothing of the kind is understood. The English files explain the format for whoever writes another language.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from companion.languages.loader import NameForm, Part, Regex, WordList, WordSet, filled_with

FactKind = Literal[
    "name", "age", "birthday", "favourite", "dislikes", "likes", "has", "lives", "grade", "job", "promise", "remember"
]
FACT_KINDS: tuple[FactKind, ...] = (
    *("name", "age", "birthday", "favourite", "dislikes", "likes", "has", "lives", "grade", "job"),
    *("promise", "remember"),
)
"""In the order in which their patterns are tried."""


class FactSentences(Part):
    """Table `[facts]` of `prompts.toml`: sentences that tell the model what is known of a person.

    The model does not address that person: "they", not "you".
    """

    name: Annotated[str, filled_with("value")]
    age: Annotated[str, filled_with("value", "day")]
    birthday: Annotated[str, filled_with("value")]
    likes: Annotated[str, filled_with("value")]
    dislikes: Annotated[str, filled_with("value")]
    favourite: Annotated[str, filled_with("subject", "value")]
    has: Annotated[str, filled_with("subject")]
    """A pet or a relative whose name is unknown."""
    has_named: Annotated[str, filled_with("subject", "value")]
    lives: Annotated[str, filled_with("value")]
    grade: Annotated[str, filled_with("value", "day")]
    job: Annotated[str, filled_with("value")]
    promise: Annotated[str, filled_with("value", "day")]
    remember: Annotated[str, filled_with("value")]
    said: Annotated[str, filled_with("value", "day")]
    """Quotes something that the person said."""


class ShortForm(Part):
    """A contraction, and how it is written out."""

    short: Regex
    full: str
    """May refer to groups of `short`: `\\g<1>`."""


class Facts(Part):
    """`facts.toml`: how people tell about themselves."""

    word_tables: ClassVar[dict[str, str]] = {"pet": "pets", "relative": "family"}

    patterns: dict[FactKind, tuple[Regex, ...]] = Field(default_factory=dict)
    """Groups: `value`, `subject`, `adjective` (words before a pet or relative) and `another` ("a second dog")."""
    ignored: Regex | None = None
    """What says nothing about the person; taken out of a sentence before anything else is looked for."""
    blocked_before: Regex | None = None
    """Standing before a match (in small letters), it makes the match no fact."""
    blocked_after: Regex | None = None
    """The same from the beginning of the match on."""
    short_forms: tuple[ShortForm, ...] = ()
    separators: Regex | None = None
    """Between several things that are liked."""
    pets: dict[str, WordList] = Field(default_factory=dict)
    """The word in which an animal is remembered, and other words for it; together the fragment `{pet}`."""
    family: dict[str, WordList] = Field(default_factory=dict)
    """The same for relatives and friends; together the fragment `{relative}`."""
    any_pet: WordList = ()
    """Words by which somebody speaks of any of the pets."""
    any_relative: WordList = ()
    not_real: WordSet = frozenset()
    """A pet or relative with one of these words before it is none."""
    articles: tuple[str, ...] = ()
    """Taken off the beginning of a liked thing, a place or a job; one that ends with an apostrophe needs no blank."""
    activity: Regex | None = None
    """Taken off the beginning of what is liked, to get the word under which it is remembered."""
    particle: str = ""
    """Signs that are taken off both ends of a thing or place; for unspaced writing."""
    not_things: WordList = ()
    """What begins so is nothing that is liked, and no place or job."""
    not_places: WordList = ()
    """Nobody's town: in spaced writing what begins with one of these words, in unspaced writing what holds one."""
    not_clauses: WordList = ()
    """What begins so is no promise, and nothing to remember."""
    not_names: WordSet = frozenset()
    """Spaced writing: words that are no name where a name was expected."""
    name_ends: WordSet = frozenset()
    """Spaced writing: words that cannot be a name's second word; those of `not_names` cannot either."""
    not_name: Regex | None = None
    """A name in which this is found is none."""
    days_ahead: dict[str, int] = Field(default_factory=dict)
    """Words for a day as seen from today: `tomorrow = 1`."""
    asked_for: dict[FactKind, Regex] = Field(default_factory=dict)
    """What somebody says, in small letters, who wants to hear all facts of a kind."""

    @model_validator(mode="after")
    def _patterns_have_their_groups(self) -> Self:
        for kind, patterns in self.patterns.items():
            needed = {"has": {"subject"}, "favourite": {"subject", "value"}}.get(kind, {"value"})
            for pattern in patterns:
                found = set(re.compile(pattern).groupindex)
                if missing := sorted(needed - found):
                    raise ValueError(f"patterns.{kind}: {pattern} has no group (?P<{missing[0]}>...)")
        return self

    @model_validator(mode="after")
    def _every_subject_has_one_word(self) -> Self:
        seen: set[str] = set()
        for table in (self.pets, self.family):
            for word, others in table.items():
                if double := seen & {word, *others}:
                    raise ValueError(f"{double.pop()} stands twice among pets and family")
                seen |= {word, *others}
        return self


class Names(Part):
    """`names.toml`: what can be the name of a person."""

    first_names: WordSet = frozenset()
    """Common first names. After a form that could say anything only these are taken for a name."""
    first_names_of: tuple[str, ...] = ()
    """Codes of languages whose first names count too, apart from those that are none by `never` or `never_looks`."""
    never: WordSet = frozenset()
    """Words that stand where a name could stand, and are none."""
    never_begins: WordList = ()
    """A name never begins with one of these."""
    never_looks: Regex | None = None
    """A word that is no name by its look, such as its ending; first names are exempt. Matched against a whole word."""
    seldom: WordSet = frozenset()
    """Names that are mostly something else after a form that could say anything."""
    likely: Regex | None = None
    """What is taken for a name after a form that could say anything. Matched against the whole name."""
    likely_after_greeting: Regex | None = None
    """The same where something stands before the form."""
    titles: WordSet = frozenset()
    """Words that belong to the name after them ("doctor")."""


class Introductions(Part):
    """`introductions.toml`: how people say who they are."""

    greetings: WordSet = frozenset()
    """May stand before a form, any number of them."""
    says: tuple[str, ...] = ()
    """Forms that say a name, and nothing else, as words."""
    says_only: tuple[str, ...] = ()
    """The same, but nothing may follow the name."""
    may_say: tuple[str, ...] = ()
    """Forms that can say anything."""
    presents: tuple[str, ...] = ()
    """Forms of `may_say` that introduce somebody else unless a word of `may_follow` comes after the name."""
    greeting_is_enough: bool = True
    """Whether any word that is not `never` a name counts after a greeting and a form that can say anything."""
    may_follow: WordSet = frozenset()
    """Words that may stand after the name of a new person."""
    never_follows: WordSet = frozenset()
    """With one of these words behind the name it is not the speaker's, or it is a question."""
    name: Regex | None = None
    """A name in `says_patterns` and `may_say_patterns`."""
    says_patterns: tuple[NameForm, ...] = ()
    """Forms that say a name and nothing else, as patterns with `{name}`, matched behind the greetings."""
    may_say_patterns: tuple[NameForm, ...] = ()
    """Forms that can say anything."""
    known_patterns: tuple[NameForm, ...] = ()
    """Forms in which only a name heard before counts."""
    asks: Regex | None = None
    """Where this is found nobody introduces themselves."""

    @model_validator(mode="after")
    def _presents_is_part_of_may_say(self) -> Self:
        if other := set(self.presents) - set(self.may_say):
            raise ValueError(f"presents: {other.pop()} does not stand in may_say")
        if (self.says_patterns or self.may_say_patterns) and self.name is None:
            raise ValueError("name: the patterns need one")
        return self


class Answer(Part):
    """A kind of question, and what an answer to it holds."""

    asks: Regex
    holds: Regex


class Utterances(Part):
    """`utterances.toml`: of which kind an utterance is. All is matched against small letters."""

    question: Regex | None = None
    about_self: Regex | None = None
    about_character: Regex | None = None
    """Asks about the one who is spoken to."""
    asking_words: Regex | None = None
    """Words that ask and say nothing of what is asked; for unspaced writing, where characters beside them count."""
    why: Regex | None = None
    private: Regex | None = None
    answers: dict[Literal["when", "how_many", "where", "who"], Answer] = Field(default_factory=dict)


class Index(Part):
    """`index.toml`: by which words a text is found again."""

    stemmer: str = ""
    """The name of a Snowball stemmer; none where it is empty."""
    endings: WordList = ()
    """Cut off the end of a word, the longest that fits, before the stemmer sees it."""
    shortest: int = 3
    """So many letters of a word must be left when an ending is cut."""
    elisions: WordSet = frozenset()
    """Short forms before an apostrophe, of which the word stands behind it: the `l` of "l'école"."""
    stop_words: WordSet = frozenset()
    stop_characters: str = ""
    """The same for single characters of unspaced writing; pairs with one of them are left out too."""
    stop_pairs: WordSet = frozenset()
    irregular: dict[str, WordList] = Field(default_factory=dict)
    """A word, and forms of it (or other words for it) that no stemmer leads to it."""
    same_things: tuple[WordList, ...] = ()
    """Words that are looked up together, because they are about one thing."""

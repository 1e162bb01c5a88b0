"""The files of a language that the voice room reads.

    directions.toml  `Directions`   what the words of a stage direction tell the body, and who does it
    emphasis.toml    `Emphasis`     which words between marks of emphasis are done and which are said
    feelings.toml    `Feelings`     feelings that a sentence shows by itself, where the model gave no cue
    speech.toml      `Speech`       abbreviations, and text around an answer that is not spoken

Every file and every key is optional. The comments at the head of the English files explain the keys to authors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from companion.languages.loader import NamedRegex, Part, Regex, WordList, WordSet

_NO_ENDINGS: Mapping[str, tuple[str, ...]] = {}


class Meaning(Part):
    """Some words and what they tell the body: an emotion, a gesture, or both."""

    emotion: str | None = None
    """One of `companion.events.EMOTIONS`."""
    gesture: str | None = None
    """One of `companion.events.GESTURES`."""
    intensity: float
    """Above 0, at most 1."""
    rank: int = 1
    """When a direction contains two emotions, the higher rank wins: `smiles sadly` is sad."""
    words: WordList


class Degree(Part):
    """Words that weaken or strengthen."""

    factor: float
    """The intensity is multiplied by it."""
    words: tuple[str, ...]


class Denial(Part):
    """How a word is denied, in languages that are read as words. "Near" is within three words in the same clause."""

    words: WordSet = frozenset()
    """Stand near, before the denied word: `does not really smile`."""
    endings: tuple[str, ...] = ()
    """Endings that make any word one of `words`: `n't`."""
    behind: tuple[str, ...] = ()
    """Follow the denied word directly: `smiles no more`."""
    behind_within: WordSet = frozenset()
    """Stand near, behind the denied word: `lächelt dich nicht an`."""
    phrases: Regex | None = None
    """Work like one of `words`: `far from happy`."""
    exceptions: Regex | None = None
    """Look like a denial but are none: `can't help laughing`."""


class Clauses(Part):
    """Words that join clauses, in languages that are read as words."""

    subordinate: WordSet = frozenset()
    """Begin a new clause, which may have another subject: `while`, `because`."""
    coordinate: WordSet = frozenset()
    """Join words or clauses: `and`, `but`. Denial does not reach across them."""


class People(Part):
    """Who does what a direction tells, in languages that are read as words."""

    first_person: WordSet = frozenset()
    """From this word on it is the character again: `I`."""
    character: WordSet = frozenset()
    """Subjects that are the character: `she`."""
    others: WordSet = frozenset()
    """Subjects that are somebody else: `everyone`."""
    owners: WordSet = frozenset()
    """Before one of `persons` they make a subject that is somebody else: `the children`."""
    persons: WordSet = frozenset()
    not_names: WordSet = frozenset()
    """Not a name, although they may be capitalised: `Then`."""
    heard: WordSet = frozenset()
    """The words around these are a sound from elsewhere: `laughter is heard`."""
    yours: WordSet = frozenset()
    """What follows belongs to the other: `your smile`."""
    yours_ends: tuple[str, ...] = ()
    """How a word after `yours` ends if what comes next does not belong to the other: `your hand waving`."""
    returns: WordSet = frozenset()
    """Verbs before `yours` with which the character does the same: `returns your smile`. In their plain form."""
    theirs: Regex | None = None
    """A whole word that belongs to the other by its form: `senyummu`."""
    before_theirs: Regex | None = None
    """A whole word after which the other acts: `membuatmu tertawa`."""
    causes: WordSet = frozenset()
    """Verbs before `objects` by which the other acts: `makes you laugh`. In their plain form."""
    objects: WordSet = frozenset()
    you: WordSet = frozenset()
    """Objects after which the other acts, unless one of `prepositions` stands before them."""
    prepositions: WordSet = frozenset()


class Forms(Part):
    """How the form of a word leads to its plain form, in languages that are read as words."""

    endings: Mapping[str, tuple[str, ...]] = _NO_ENDINGS
    """An ending and its possible replacements. The likeliest ending comes first."""
    doubled: tuple[str, ...] = ()
    """Endings before which a doubled letter may also become single: `hugging`."""
    dropped: tuple[str, ...] = ()
    """Endings that are removed before the others are tried: `'s`."""
    elisions: tuple[str, ...] = ()
    """Beginnings that are words of their own: `s'` in `s'incline`."""
    adverbs: tuple[str, ...] = ()
    """How adverbs end."""
    verbs: tuple[str, ...] = ()
    """How a verb ends after a name: `Anna smiles`."""


class Strings(Part):
    """What may stand around a known string, in languages that are read as strings."""

    denied_before: Regex | None = None
    """Stands before a string and denies it."""
    between: Regex | None = None
    """May stand between `denied_before` and the string: 不会哭."""
    denied_behind: Regex | None = None
    """Follows a string directly and denies it."""
    exceptions: Regex | None = None
    """Looks like a denial but is none: 忍不住."""
    others: Regex | None = None
    """Somewhere in a clause: its subject is somebody else (你, みんなが)."""
    not_others: Regex | None = None
    """Begins a clause that is the character's although `others` matches: 看着你笑了."""
    theirs_before: Regex | None = None
    """Stands directly before what somebody else does, because the character makes or sees them do it: 逗你."""
    theirs_behind: Regex | None = None
    """Follows it directly: the せる of 笑わせる."""
    begin_words: bool = False
    """Whether strings count only at the beginning of a word. For languages that write blanks between words."""


class Directions(Part):
    """`directions.toml`."""

    read: Literal["words", "strings"] = "words"
    """`words`: word by word, each reduced to its possible plain forms. `strings`: known strings anywhere."""
    meaning: tuple[Meaning, ...] = ()
    silent: WordList = ()
    """Words and phrases without a meaning. They also hide words of the other languages."""
    degree: tuple[Degree, ...] = ()
    scene: Regex | None = None
    """Begins a direction about the scene and not the character: `Lights fade`."""
    passed_over: Regex | None = None
    """Parts of a direction that are ignored."""
    denial: Denial = Denial()
    clauses: Clauses = Clauses()
    people: People = People()
    forms: Forms = Forms()
    strings: Strings = Strings()


class Emphasis(Part):
    """`emphasis.toml`. Unless noted, a pattern is matched at the beginning of the marked words."""

    present: Regex | None = None
    """A verb in the form that directions use: `waves`."""
    doing: Regex | None = None
    """A participle: `waving`."""
    manner: Regex | None = None
    """How something is done: `shyly`. In small letters only."""
    perhaps: Regex | None = None
    """What may be a verb: `tersenyum`. In small letters only, and its meaning must be known."""
    only_known: bool = False
    """Whether all of these count only where directions.toml knows the meaning of the words. On a device of such a
    language this holds for the other languages, too: their verbs may look like its own words."""
    with_subject: Regex | None = None
    """A subject with its verb: `He smiles`."""
    with_name: Regex | None = None
    """A name with its verb, case as written: `Teddy smiles`."""
    manner_alone: Regex | None = None
    """All of a manner on a line of its own: `Very coldly`."""
    adverb_end: Regex | None = None
    """How a manner ends. Searched for anywhere."""
    body_verbs: WordSet = frozenset()
    """Verbs that mean something only with other words: `shakes`."""
    events: Regex | None = None
    """All of what happens without anybody doing it: `A long pause`."""
    said: Regex | None = None
    """Begins something spoken."""
    first_person: WordSet = frozenset()
    """By these the speaker speaks of itself: `my`. Marked words that contain one are spoken."""
    goes_on: WordSet = frozenset()
    """Words after the mark with which the sentence goes on: `**smiles** are free`."""
    before_verb: WordSet = frozenset()
    """Words before the mark that make the marked word part of the sentence: `he **smiles**`."""
    before_noun: WordSet = frozenset()
    """The same, also with one word between: `a big **smile**`."""
    interjections: Regex | None = None
    """Capitalised words before the mark that are not a name: `Oh`."""
    capital_nouns: bool = False
    """Whether nouns are capitalised. Otherwise a capital inside the marked words means that they are a title."""
    speech_begins: Regex | None = None
    """How speech begins that follows a direction without a blank, in writing without blanks."""
    stressed: Regex | None = None
    """What single stars stress wherever it stands; in writing without blanks, all of what they may stress."""


class Sign(Part):
    """Words that show a feeling by themselves."""

    emotion: str | None = None
    gesture: str | None = None
    intensity: float
    """0.3 to 0.5: what is only inferred is faint."""
    words: Regex
    """Ignores case. Matched against text with straight `'` and without opening quotation marks."""
    only_own: bool = False
    """Whether it counts only if the character itself speaks this language."""


class Feelings(Part):
    """`feelings.toml`."""

    silent: Regex | None = None
    """Not a sign, although a sign of this or another language matches at that place: German `^um\\b`."""
    sign: tuple[Sign, ...] = ()


class Speech(Part):
    """`speech.toml`."""

    abbreviations: WordSet = frozenset()
    """Never end a sentence, because a name or a number follows. In small letters, without their last full stop."""
    abbreviations_at_end: WordSet = frozenset()
    """May end a sentence: `etc`."""
    one_letter_words: WordSet = frozenset()
    """Can end a sentence, case as written: `I`. Other single letters before a full stop are initials."""
    dotted_ordinals: bool = False
    """Whether a full stop makes a number an ordinal: `am 3. Mai`."""
    closing_quotes: WordSet = frozenset()
    """Marks that close a quotation here and open one in other languages: “ in `„Ja.“`."""
    after_quotation: WordSet = frozenset()
    """Characters after a quotation that ends with 。 with which the sentence goes on: と."""
    enumerators: Regex | None = None
    """What numbers a list before a closing bracket: `三）`."""
    narration: NamedRegex | None = None
    """How prose about the character begins, in novel style: `she whispers`."""
    narration_inside: NamedRegex | None = None
    """How it begins behind a comma inside a dialogue with dashes: `— Entre, dit-elle.`"""
    narrated: WordSet = frozenset()
    """Words for the character with which such prose begins an answer, before what is said: `she`."""
    thought_tags: WordSet = frozenset()
    """Names of tags around the character's thoughts."""
    direction_tags: WordSet = frozenset()
    """Names of tags around stage directions."""
    unspoken_labels: WordSet = frozenset()
    """Words before a colon at the beginning of a line that is not spoken: `OOC: ...`. In small letters."""
    feeling_labels: WordSet = frozenset()
    """Words before a feeling or gesture in an answer like a form: `mood: happy`."""
    spoken_labels: WordSet = frozenset()
    """Words before what is said in one: `reply: Hello!`"""
    lead_ins: WordSet = frozenset()
    """Words before a colon that are not a speaker's name: `Note: ...`."""
    name_never_begins: WordSet = frozenset()
    """Characters that no name before a colon begins with, in writing without capitals."""
    name_never_ends: WordSet = frozenset()
    """Characters that none ends with: 说 in `妈妈说：`."""

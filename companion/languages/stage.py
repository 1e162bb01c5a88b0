"""What the voice reads of a language: stage directions, emphasis, feelings, and the text of an answer.

    directions.toml  `Directions`   what the words of a stage direction tell the body, and who does it
    emphasis.toml    `Emphasis`     which words between marks of emphasis are done and not said
    feelings.toml    `Feelings`     feelings that words show by themselves, where the model gave no cue
    speech.toml      `Speech`       abbreviations, and words around an answer that are not spoken

Every file and every key may be left out. The English files explain each key at their head.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from companion.languages.loader import Part, Regex, WordList, WordSet

_NO_ENDINGS: Mapping[str, tuple[str, ...]] = {}


class Meaning(Part):
    """Some words, and what they tell the body: an emotion, a gesture, or both."""

    emotion: str | None = None
    """One of `companion.events.EMOTIONS`."""
    gesture: str | None = None
    """One of `companion.events.GESTURES`."""
    intensity: float
    """Above 0, at most 1."""
    rank: int = 1
    """Of two emotions in one direction the higher rank counts: `smiles sadly` is sad."""
    words: WordList


class Degree(Part):
    """Words that weaken or strengthen."""

    factor: float
    """What the intensity is multiplied by."""
    words: tuple[str, ...]


class Denial(Part):
    """Read as words: what takes a word's meaning away."""

    words: WordSet = frozenset()
    """Up to three words before it, in the same clause: `does not really smile`."""
    endings: tuple[str, ...] = ()
    """How such a word may end: `n't`."""
    behind: tuple[str, ...] = ()
    """Words that stand directly behind it: `smiles no more`."""
    behind_within: WordSet = frozenset()
    """Words that stand up to three words behind it, in the same clause: `lächelt dich nicht an`."""
    phrases: Regex | None = None
    """Read as a denying word: `far from happy`."""
    exceptions: Regex | None = None
    """What only looks like a denial and is passed over: `can't help laughing`."""


class Clauses(Part):
    """Read as words: what joins clauses. A clause may have another subject than the one before it."""

    subordinate: WordSet = frozenset()
    """Begin a clause: `while`, `because`."""
    coordinate: WordSet = frozenset()
    """Join words or clauses: `and`, `but`. A subject may follow; a denial does not reach over them."""


class People(Part):
    """Read as words: who does what a direction tells."""

    first_person: WordSet = frozenset()
    """From here on it is the character again: `I`."""
    character: WordSet = frozenset()
    """Subjects that are the character: `I`, `he`, `herself`."""
    others: WordSet = frozenset()
    """Subjects that are somebody else: `you`, `everyone`."""
    owners: WordSet = frozenset()
    """Stand before one of `persons` in a subject: `the children`."""
    persons: WordSet = frozenset()
    not_names: WordSet = frozenset()
    """Words that no name is, though they may begin with a capital: `Then`."""
    heard: WordSet = frozenset()
    """What stands around these is a sound from elsewhere: `laughter is heard`."""
    yours: WordSet = frozenset()
    """Possessives: what follows is the other's (`your smile`)."""
    yours_ends: tuple[str, ...] = ()
    """Endings of a word behind `yours` that is itself what belongs to the other: `your hands shaking`."""
    returns: WordSet = frozenset()
    """Verbs by which the character does the same as the other: `returns your smile`."""
    theirs: Regex | None = None
    """A whole word that its form gives to somebody else: `senyummu`."""
    before_theirs: Regex | None = None
    """A whole word behind which somebody else acts: `membuatmu tertawa`."""
    causes: WordSet = frozenset()
    """Verbs that make or see another do something: `makes you laugh`."""
    objects: WordSet = frozenset()
    """Whom they make or see do it: `you`, `everybody`."""
    you: WordSet = frozenset()
    """Objects behind which a word is the other's, unless a preposition stands before them."""
    prepositions: WordSet = frozenset()


class Forms(Part):
    """Read as words: how a form of a word leads to the word as the meanings have it."""

    endings: Mapping[str, tuple[str, ...]] = _NO_ENDINGS
    """An ending, and what may stand in its place; the most likely ending first."""
    doubled: tuple[str, ...] = ()
    """Endings before which a last letter may be doubled: `hugging`."""
    dropped: tuple[str, ...] = ()
    """Endings that are taken off before the others are looked at: `'s`."""
    elisions: tuple[str, ...] = ()
    """Beginnings that are words of their own: `s'` in `s'incline`."""
    adverbs: tuple[str, ...] = ()
    """How adverbs end."""
    verbs: tuple[str, ...] = ()
    """How a verb ends behind a name: `Anna smiles`."""


class Strings(Part):
    """Read as strings: what stands around a known string. All are regular expressions."""

    denied_before: Regex | None = None
    """Stands before the string."""
    between: Regex | None = None
    """One of these may stand between the two: 不会哭."""
    denied_behind: Regex | None = None
    """Begins just behind it."""
    exceptions: Regex | None = None
    """What only looks like a denial and is passed over: 忍不住."""
    others: Regex | None = None
    """Somewhere in a clause whose subject is somebody else: 你, みんなが."""
    not_others: Regex | None = None
    """Begins a clause that is the character's all the same: 看着你笑了."""
    theirs_before: Regex | None = None
    """Ends just before what somebody else does, made to by the character or seen by it: 逗你."""
    theirs_behind: Regex | None = None
    """Begins just behind it: the せる of 笑わせる."""
    begin_words: bool = False
    """Whether strings count only at the beginning of a word: for writing that sets blanks."""


class Directions(Part):
    """`directions.toml`."""

    read: Literal["words", "strings"] = "words"
    """`words`: word by word, each reduced to what it may be a form of. `strings`: what is known, wherever it stands."""
    meaning: tuple[Meaning, ...] = ()
    silent: WordList = ()
    """What must not be taken for one of the meanings (`pleased to meet`), nor for a word of another language."""
    degree: tuple[Degree, ...] = ()
    scene: Regex | None = None
    """Begins a direction about the scene and not the character: `Enter`, `Lights`."""
    passed_over: Regex | None = None
    """Parts of a direction that are not read at all."""
    denial: Denial = Denial()
    clauses: Clauses = Clauses()
    people: People = People()
    forms: Forms = Forms()
    strings: Strings = Strings()


class Emphasis(Part):
    """`emphasis.toml`. Unless it says otherwise, a pattern is matched where the marked words begin."""

    present: Regex | None = None
    """A verb as directions have it: `waves`."""
    doing: Regex | None = None
    """A participle: `waving`."""
    manner: Regex | None = None
    """How something is done: `shyly`, `relieved`."""
    perhaps: Regex | None = None
    """What may be a verb, and counts only between small letters: `tersenyum`."""
    only_known: bool = False
    """Whether these count only where directions.toml knows the words. A device of such a language asks that of the
    other languages that it understands, too: their verbs may look like its own words."""
    with_subject: Regex | None = None
    """A sentence about the character: `He smiles`."""
    with_name: Regex | None = None
    """The same with a name, in capitals and small letters as written: `Teddy smiles`."""
    manner_alone: Regex | None = None
    """The whole of a direction: `Very coldly`."""
    adverb_end: Regex | None = None
    """How a manner ends; matched anywhere."""
    body_verbs: WordSet = frozenset()
    """Verbs that tell something only with other words: `shakes`."""
    events: Regex | None = None
    """The whole of what is to be seen or heard without a doer: `A long pause`."""
    said: Regex | None = None
    """Words that begin what is said and not done."""
    first_person: WordSet = frozenset()
    """Words by which the speaker tells of itself: `my`."""
    goes_on: WordSet = frozenset()
    """Words that go on with a sentence to which the marked word belongs: `**smiles** are free`."""
    before_verb: WordSet = frozenset()
    """Words behind which a marked word belongs to the sentence: `he **smiles**`."""
    before_noun: WordSet = frozenset()
    """The same, also with one word more between: `a big **smile**`."""
    interjections: Regex | None = None
    """What begins with a capital before a direction, but is no name: `Oh`."""
    capital_nouns: bool = False
    """Whether nouns have capitals; else a capital amid the marked words tells that they are a title."""
    speech_begins: Regex | None = None
    """Unspaced: how speech begins that follows a direction without a blank."""


class Sign(Part):
    """Words that show a feeling by themselves."""

    emotion: str | None = None
    gesture: str | None = None
    intensity: float
    """0.3 to 0.5: nothing that is only inferred is strong."""
    words: Regex
    """Names the whole phrase. Matched in any case, in text without opening quotation marks, with straight `'`."""
    only_own: bool = False
    """Whether it counts only where the character speaks this language."""


class Feelings(Part):
    """`feelings.toml`."""

    silent: Regex | None = None
    """What is no sign, though one of this or another language matches there: German `^um\\b`."""
    sign: tuple[Sign, ...] = ()


class Speech(Part):
    """`speech.toml`."""

    abbreviations: WordSet = frozenset()
    """In small letters, without the last full stop. A name or number follows them: they never end a sentence."""
    abbreviations_at_end: WordSet = frozenset()
    """Those that may end a sentence: `etc`."""
    one_letter_words: WordSet = frozenset()
    """Other single letters before a full stop are initials."""
    dotted_ordinals: bool = False
    """Whether a full stop makes a number an ordinal: `am 3. Mai`."""
    after_quotation: WordSet = frozenset()
    """What goes on with the sentence behind a quotation that ends with a stop: と."""
    enumerators: Regex | None = None
    """Numbers before a bracket that number a list: `三）`."""
    thought_tags: WordSet = frozenset()
    """Names of tags around what the character thinks."""
    direction_tags: WordSet = frozenset()
    """Names of tags around what it does."""
    lead_ins: WordSet = frozenset()
    """Words before a colon that are no speaker's name: `Note: ...`."""
    name_never_begins: WordSet = frozenset()
    """Characters with which no name before a colon begins; for unspaced writing."""
    name_never_ends: WordSet = frozenset()
    """Characters with which none ends: 说 in `妈妈说：`."""

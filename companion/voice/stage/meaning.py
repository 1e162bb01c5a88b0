"""What a stage direction tells the body: words to emotion, gesture and intensity. Pure but for lazy file reads.

The words and the grammar come from the languages that the device understands (see `lexicon`). These give no cue: what
is denied (`doesn't smile`, 不笑, 笑わない), what somebody else does (`you smile`, 你笑了), and stage business (doors,
chairs, who is spoken to, how something is said).

Languages are read in one of two ways. As words: each word is reduced to its possible plain forms. If the subject of a
clause is somebody else, the clause is theirs until it ends or names another subject. So is what the character sees or
makes another do (`makes you laugh`, `your smile`). As strings: known strings are searched for anywhere, the longest
first. The text before and after a string tells whether it is denied or done by somebody else.
"""

from __future__ import annotations

import re

from companion.languages.understood import Understood, understood
from companion.voice.stage.lexicon import DENIED, Feeling, Found, Lexicon, Phrase, StringLexicon, WordLexicon, lexicon
from companion.voice.stage.scanner import CJK_RANGES

_REACH = 4
"""The next word of a phrase is at most so many words away (`shakes his big heavy head`)."""
_DENIAL_REACH = 3
"""A denial is at most so many words away from the word that it denies."""
_BEFORE, _BEHIND = 10, 8
"""Characters before and after a string that are examined."""

_LETTERS = rf"[^\W\d_{CJK_RANGES}]+"
_NO_NAME = frozenset(("not_names", "character", "subordinate", "owners", "adverb"))
"""Roles of words that are not a name, although they may be capitalised."""
_PUNCTUATION = ",.;:!?…—–"
_TOKEN = re.compile(rf"{_LETTERS}(?:['-]{_LETTERS})*|[{_PUNCTUATION}]|{DENIED}")
_READ_AS_STRINGS = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
"""Letters of writing that is read as strings: Thai, Lao, Japanese, Chinese, Korean."""
_CLAUSE = re.compile(r"[^，,。．.；;！!？?、…\n]+")


def read_direction(text: str, name: str = "", languages: Understood | None = None) -> Feeling | None:
    """What a direction, without its brackets, tells the body; None if it tells nothing.

    `name` is the character's. If it is given, what another name does (`Anna smiles`) gives nothing. `languages` are
    those that the device understands; if not given, English and the languages understood with it.
    """
    known = lexicon(languages or understood())
    text = text.replace("’", "'")
    lowered = text.casefold()
    found = _read_strings(lowered, known.strings) if _READ_AS_STRINGS.search(lowered) else []
    found += _read_words(text, known.words, name)
    emotions = [one for one in found if one.feeling.emotion]
    gestures = [one for one in found if one.feeling.gesture]
    if not emotions and not gestures:
        return None
    emotion = max(emotions, key=lambda one: (one.rank, -one.at), default=None)
    gesture = min(gestures, key=lambda one: one.at, default=None)
    intensity = (emotion or gesture or found[0]).feeling.intensity * _strength(lowered, known)
    return Feeling(
        emotion.feeling.emotion if emotion else None,
        gesture.feeling.gesture if gesture else None,
        round(min(max(intensity, 0.1), 1.0), 2),
    )


def _strength(text: str, known: Lexicon) -> float:
    """The factor of the degree words. The one furthest from 1 counts."""
    factors = [known.factors[word] for word in known.degree.findall(text)]
    return max(factors, key=lambda factor: abs(factor - 1), default=1.0)


def _read_strings(text: str, known: StringLexicon) -> list[Found]:
    """Every known string that tells what the character does, with its position."""
    text = known.not_denying.sub(lambda match: "，" * len(match.group()), text)
    theirs = [clause.span() for clause in _CLAUSE.finditer(text) if _is_theirs(clause.group(), known)]
    found = []
    for at, string in known.matches(text):
        feeling, rank = known.strings[string]
        if feeling is None or any(start <= at < stop for start, stop in theirs):
            continue
        end = at + len(string)
        before, behind = text[max(0, at - _BEFORE) : at], text[end : end + _BEHIND]
        denied = known.denied_before.search(before) or known.denied_behind.match(behind)
        if not denied and not known.theirs_before.search(before) and not known.theirs_behind.match(behind):
            found.append(Found(at, feeling, rank))
    return found


def _is_theirs(clause: str, known: StringLexicon) -> bool:
    """Whether the subject of the clause is somebody else."""
    return known.others.search(clause) is not None and known.not_others.match(clause) is None


def _read_words(text: str, known: WordLexicon, name: str) -> list[Found]:
    """Every word or phrase that tells what the character does, with the number of its first word."""
    if known.scene.match(text):
        return []
    text = known.denying.sub(DENIED, known.not_denying.sub(" ", known.passed_over.sub(" ", text)))
    return _WordReader(_TOKEN.findall(text), known, frozenset(name.casefold().split())).found()


class _WordReader:
    """Reads one direction word by word."""

    def __init__(self, tokens: list[str], known: WordLexicon, own_name: frozenset[str]) -> None:
        self.known = known
        self.own_name = own_name
        self.words: list[str] = []
        self.begins: set[int] = {0}
        """Numbers of the words at which a clause may begin."""
        self.capitals: set[int] = set()
        shouted = all(token.isupper() for token in tokens if token not in _PUNCTUATION)
        for token in tokens:
            if token in _PUNCTUATION:
                self.begins.add(len(self.words))
                continue
            if token[0].isupper():
                self.capitals.add(len(self.words))
            # A single word in capitals is a name: `To DULL`.
            named = token.isupper() and len(token) > 1 and not shouted
            self.words += [""] if named else self._split_elision(token.casefold())
        self.entries = [known.look_up(word) for word in self.words]

    def _split_elision(self, word: str) -> list[str]:
        """The word, or its parts if it begins with an elision: `s'incline`."""
        for elision in self.known.elisions:
            if word.startswith(elision) and word != elision:
                return [elision, word.removeprefix(elision)]
        return [word]

    def found(self) -> list[Found]:
        theirs = self._done_by_others()
        found: list[Found] = []
        taken: set[int] = set()
        for index, entry in enumerate(self.entries):
            for phrase, (feeling, rank) in entry.phrases:
                places = self._places(phrase, index)
                if places and not taken.intersection(places):
                    taken.update(places)
                    if feeling and index not in theirs and not self._is_denied(index):
                        found.append(Found(index, feeling, rank))
        for index, entry in enumerate(self.entries):
            if entry.meaning is None or entry.meaning.feeling is None or index in taken or index in theirs:
                continue
            if not self._is_done_by_object(index) and not self._is_denied(index):
                found.append(Found(index, entry.meaning.feeling, entry.meaning.rank))
        return found

    def _places(self, phrase: Phrase, index: int) -> list[int]:
        """The numbers of the words of the phrase, from `index` on; empty unless all of them are there."""
        places = [index]
        for part in phrase[1:]:
            after = places[-1] + 1
            for place in range(after, min(after + _REACH, len(self.entries))):
                if part in self.entries[place].forms:
                    places.append(place)
                    break
            else:
                return []
        return places

    def _roles(self, index: int) -> frozenset[str]:
        """The roles of a word; none outside of the direction."""
        return self.entries[index].roles if 0 <= index < len(self.entries) else frozenset()

    def _done_by_others(self) -> set[int]:
        """Numbers of the words in clauses whose subject is somebody else, and around sounds."""
        found: set[int] = set()
        theirs = False
        before: frozenset[str] = frozenset()
        for index, entry in enumerate(self.entries):
            roles = entry.roles
            named = "coordinate" in before and ("character" in roles or self._subject_is_other(index))
            if index in self.begins or "subordinate" in before or named:
                theirs = self._subject_is_other(index)
            elif "first_person" in roles:
                theirs = False
            if theirs:
                found.add(index)
            if "heard" in roles:
                found.update(range(index - _REACH, index + _REACH + 1))
            before = roles
        return found

    def _subject_is_other(self, index: int) -> bool:
        """Whether somebody else is the subject of the clause that begins at `index`."""
        word, entry = self.words[index], self.entries[index]
        roles, after = entry.roles, self._roles(index + 1)
        last = index + 1 == len(self.words)
        if "others" in roles or ("yours" in roles and not last) or ("owners" in roles and "persons" in after):
            return True
        if not self.own_name or index not in self.capitals or word in self.own_name or entry.meaning or entry.phrases:
            return False
        return "verb" in after and roles.isdisjoint(_NO_NAME)

    def _is_done_by_object(self, index: int) -> bool:
        """Whether it is done by the one the character acts on: `makes you laugh`, `sees you crying`, `your smile`."""
        roles, before, earlier = (self._roles(place) for place in (index, index - 1, index - 2))
        if "theirs" in roles:
            return True
        if "yours" in before:
            return "returns" not in earlier
        if "yours" in earlier:
            return "yours_end" not in before
        if "before_theirs" in before:
            return True
        if "adverb" in roles or "objects" not in before:
            return False
        return "causes" in earlier or ("you" in before and "prepositions" not in earlier)

    def _is_denied(self, index: int) -> bool:
        """Whether a word before or after it denies it."""
        behind = " ".join(self.words[index + 1 : index + 1 + _DENIAL_REACH]) + " "
        if any(behind.startswith(f"{words} ") for words in self.known.denied_by):
            return True
        for place in range(index + 1, min(index + 1 + _DENIAL_REACH, len(self.words))):
            roles = self.entries[place].roles
            if place in self.begins or "coordinate" in roles:
                break
            if "denies_behind" in roles:
                return True
        for place in range(index - 1, max(-1, index - 1 - _DENIAL_REACH), -1):
            roles = self.entries[place].roles
            if place + 1 in self.begins or "coordinate" in roles:
                return False
            if "denies" in roles:
                return True
        return False

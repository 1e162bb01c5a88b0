"""Directions in English and Indonesian, read word by word, each reduced to its possible stems. Pure.

Who does it: `I`, `he`, `she`, `it` and the character's own name are the character; `you`, `they`, `everyone`, `the
children` are others, until the clause ends or names another subject. What the character sees or makes another do
(`makes you laugh`, `your smile`) is that one's. Entrances, scenes, lights and sounds are stage business.
"""

from __future__ import annotations

import re
from functools import cache

from companion.voice.stage.lexicon import Found, Words

_REACH = 4
"""A word of a phrase stands at most so many places behind the one before it (`shakes his big heavy head`)."""

_TOKEN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['-][A-Za-z]+)*|[,.;:!?…—–]")
_BUSINESS = re.compile(
    r"\s*(?:re-?enter|enter|exeunt|curtain|scene|act [ivx\d]|lights?|sounds?|sfx|music|flourish|alarums?|thunder"
    r"|int|ext|cut to|fade|blackout|off-?stage|voice-?over|masuk|babak|adegan|lampu|suara|musik)\b",
    re.IGNORECASE,
)
_NO_DENIAL = re.compile(
    r"(?:can(?:'?t|not)|could(?:n't| not)|unable to) (?:help|stop|resist|contain|hide|hold)(?: but| back)?|not only"
    r"|(?:try|tries|tried|trying|struggl\w+|fight\w+) (?:hard )?not to|stop(?:s|ped)? to|nothing but"
    r"|tak(?: bisa| dapat)? (?:tahan|menahan)|tidak (?:bisa|dapat) menahan|tanpa henti|tak henti(?:nya)?|tidak hanya",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\bfar from\b|\banything but\b|\binstead of\b|\brather than\b|\bless than\b", re.IGNORECASE)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SUBORDINATE = _set("""
    as while when if until because before after since once whenever than saat ketika jika kalau sementara karena
    sambil seraya sebelum setelah
""")
_COORDINATE = _set("and then but so dan lalu kemudian tapi tetapi melainkan serta")
_SELF = _set("i she he it char himself herself itself aku saya dia ia beliau")
_OTHERS = _set("""
    you user they everyone everybody someone somebody nobody people children kids others audience crowd guests both
    kamu kau engkau anda kalian pengguna mereka semua orang-orang anak-anak penonton hadirin
""")
_OWNERS = _set("the a his her its their my some other two all para si")
_PERSONS = _set("""
    child children kid kids crowd audience user others people guests boys girls men women friends students mother
    father mom dad mum mama papa parents brother sister grandma grandpa teacher friend neighbour
""")
_PREPOSITIONS = _set("at to with for on beside near toward towards around behind before from by of over")
_MAKES = _set("make let see saw watch hear heard help get set made membuat melihat mendengar biarkan")
_OBJECTS = _set("her him them us everyone everybody people you kamu mereka dia")
_RETURNS = _set("return match mirror share answer membalas")
_NO_NAME = _set("then still just now again also suddenly finally soon once here there")


def read_spaced(text: str, known: Words, name: str = "") -> list[Found]:
    """Every word or phrase that tells what the character does, with the number of its word."""
    if _BUSINESS.match(text):
        return []
    text = _DENIAL.sub("not", _NO_DENIAL.sub(" ", text))
    reading = _Reading(_TOKEN.findall(text), known, frozenset(name.casefold().split()))
    return reading.found()


class _Reading:
    """One direction: its words, their stems, whose each is, and where clauses begin."""

    def __init__(self, tokens: list[str], known: Words, own: frozenset[str]) -> None:
        self.known = known
        self.own = own
        self.words: list[str] = []
        self.begins: set[int] = set()
        self.names: set[int] = set()
        shouted = all(token.isupper() for token in tokens if token[0].isalpha())
        for token in tokens:
            if token[0].isalpha():
                if token[0].isupper():
                    self.names.add(len(self.words))
                # A word in capitals among others is a name: `To DULL`.
                named = token.isupper() and len(token) > 1 and not shouted
                self.words.append("" if named else token.casefold())
            else:
                self.begins.add(len(self.words))
        self.begins.add(0)
        self.stems = [stems(word) for word in self.words]

    def found(self) -> list[Found]:
        others = self._others()
        found: list[Found] = []
        taken: set[int] = set()
        for index, forms in enumerate(self.stems):
            for form in forms:
                for phrase, (feeling, rank) in self.known.phrases.get(form, ()):
                    places = self._places(phrase, index)
                    if places and not taken.intersection(places):
                        taken.update(places)
                        if feeling and index not in others and not self._denied(index):
                            found.append(Found(index, feeling, rank))
        for index, forms in enumerate(self.stems):
            if index in taken or index in others or self._belongs_to_you(index) or self._denied(index):
                continue
            meaning = next((self.known.words[form] for form in forms if form in self.known.words), None)
            if meaning and meaning.feeling:
                found.append(Found(index, meaning.feeling, meaning.rank))
        return found

    def _places(self, phrase: tuple[str, ...], index: int) -> list[int]:
        """Where the words of the phrase stand, from `index` on; nothing unless all of them do."""
        places = [index]
        for part in phrase[1:]:
            after = places[-1] + 1
            for place in range(after, min(after + _REACH, len(self.stems))):
                if part in self.stems[place]:
                    places.append(place)
                    break
            else:
                return []
        return places

    def _others(self) -> set[int]:
        """The numbers of the words that tell what somebody else does."""
        others: set[int] = set()
        theirs = False
        for index, word in enumerate(self.words):
            before = self.words[index - 1] if index else ""
            named = before in _COORDINATE and (word in _SELF or self._is_other(index))
            if index in self.begins or before in _SUBORDINATE or named:
                theirs = self._is_other(index)
            elif word in ("i", "aku", "saya"):
                theirs = False
            if theirs:
                others.add(index)
        heard = {index for index, word in enumerate(self.words) if word in ("heard", "within", "terdengar")}
        return others | {index for place in heard for index in range(len(self.words)) if abs(index - place) <= _REACH}

    def _is_other(self, index: int) -> bool:
        """Whether the clause that begins there has somebody else as its subject."""
        word = self.words[index]
        after = self.words[index + 1] if index + 1 < len(self.words) else ""
        if word in _OTHERS or (word == "your" and after) or (word in _OWNERS and after in _PERSONS):
            return True
        if not self.own or index not in self.names or word in self.own or word in _NO_NAME or word.endswith("ly"):
            return False
        known = any(form in self.known.words or form in self.known.phrases for form in self.stems[index])
        return not known and after.endswith("s") and word not in _SELF | _SUBORDINATE | _OWNERS

    def _belongs_to_you(self, index: int) -> bool:
        """`makes you laugh`, `sees you crying`, `your smile`: done by the one whom the character acts on."""
        word = self.words[index]
        last, earlier = ["", "", *self.words][index + 1], ["", "", *self.words][index]
        if word.endswith("mu") and not word.startswith(("me", "ku")) and len(word) > 5:
            return True
        if "your" in (last, earlier) and not set(stems(earlier if last == "your" else "")) & _RETURNS:
            return last == "your" or not last.endswith(("s", "ing", "ly", "and"))
        if last.startswith("membuat") and last != "membuat":
            return True
        if word.endswith("ly") or last not in _OBJECTS:
            return False
        return bool(_MAKES.intersection(stems(earlier))) or (last == "you" and earlier not in _PREPOSITIONS)

    def _denied(self, index: int) -> bool:
        """Whether one of the three words before denies the word, or the two behind it do."""
        if self.words[index + 1 : index + 3] == ["no", "more"]:
            return True
        for place in range(index - 1, max(-1, index - 4), -1):
            word = self.words[place]
            if place + 1 in self.begins or word in _COORDINATE:
                return False
            if word in self.known.denials or word.endswith("n't"):
                return True
        return False


@cache
def stems(word: str) -> tuple[str, ...]:
    """The word and what it may be a form of, most exact first."""
    forms = [word]
    word = word.removesuffix("'s")
    for ending, replacements in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            stem = word[: len(word) - len(ending)]
            forms += [stem + one for one in replacements]
            if ending in ("ing", "ed") and len(stem) > 2 and stem[-1] == stem[-2]:
                forms.append(stem[:-1])
    return tuple(dict.fromkeys(forms))


_ENDINGS = (
    ("ying", ("ie",)),
    ("ally", ("", "al")),
    ("ingly", ("", "e", "ing")),
    ("edly", ("", "e", "ed")),
    ("ily", ("y",)),
    ("ly", ("", "le")),
    ("iness", ("y",)),
    ("ness", ("",)),
    ("ing", ("", "e")),
    ("ied", ("y",)),
    ("ed", ("", "e")),
    ("ies", ("y",)),
    ("es", ("", "e")),
    ("s", ("",)),
    ("nya", ("",)),
    ("lah", ("",)),
    ("kan", ("",)),
    ("mu", ("",)),
    ("ku", ("",)),
)

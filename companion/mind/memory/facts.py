"""What a person tells about themselves, as facts: name, birthday, likes, pets, family, town, promises. Pure.

By patterns alone, in four languages, on text as speech to text gives it (small letters, no marks). Never invents: what
stands in a question, behind "if", "I wish", "she said", in a dream or a game gives nothing, nor does a sentence with
anything private in it (`utterance.is_private` lists what that is). Where a rule is in doubt there is no
fact; the sentence itself can still be found by its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from companion.languages.language import Code as Language
from companion.mind.memory import fact_patterns_cjk as cjk
from companion.mind.memory import fact_patterns_latin as latin
from companion.mind.memory.fact_sentences import TEMPLATES, about, day, subject_of
from companion.mind.memory.index_words import word_set, words
from companion.mind.memory.utterance import is_private, language_of, plain

LONGEST = 600
"""Characters of one utterance that are read; patterns over more than that are a waste of time."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known about a person."""

    kind: str
    """`name`, `age`, `birthday`, `likes`, `dislikes`, `favourite`, `has`, `dialogues`, `grade`, `job`, `promise` or
    `remember`."""
    subject: str
    """What of that kind: the thing liked, `dog`, `colour`; empty where a person has only one, such as a name."""
    value: str
    """The name of the dog, the colour, the words of the promise; may be empty (they have a dog, and that is all)."""
    text: str
    """The sentence that tells it to the model, in the language in which it was said."""
    about: tuple[str, ...]
    """Words (of `words_index`) of which one is enough for the fact to matter when the person speaks of themselves."""

    @property
    def slot(self) -> str:
        """A later fact with the same slot takes this one's place: "I hate peas" takes that of "I like peas"."""
        kind = "likes" if self.kind == "dislikes" else self.kind
        return f"{kind}:{' '.join(words(self.subject)) or self.subject.casefold()}"


@dataclass(frozen=True, slots=True)
class Told:
    """What one utterance tells."""

    facts: tuple[Fact, ...]
    """In the order of the patterns; of each slot the last only."""
    rest: str
    """The words outside of all facts: what can only be remembered as it was said."""


def facts(said: str, at: datetime) -> tuple[Fact, ...]:
    """The facts in one utterance, said at `at`."""
    return told(said, at).facts


def told(said: str, at: datetime) -> Told:
    """The facts in one utterance, said at `at`, and the rest of it. Nothing is taken from private words."""
    text = plain(said)[:LONGEST]
    if not text or is_private(text):
        return Told((), text)
    language = language_of(text)
    patterns, blockers, harmless, tails = _LANGUAGES[language]
    found: dict[str, Fact] = {}
    rests = []
    for sentence in _sentences(text, language, harmless):
        rest = list(sentence)
        for kind, pattern in patterns:
            for match in pattern.finditer(sentence):
                head = sentence[: match.start()].casefold()
                if blockers.search(head) or tails.search(sentence[match.start() :].casefold()):
                    continue
                for fact in _facts(kind, match, language, at):
                    start, end = _span(match, fact)
                    if not _says_more(sentence[start:end], fact):
                        rest[start:end] = "\n" * (end - start)
                    known = found.get(fact.slot)
                    # "I have a dog" after its name in the same breath adds nothing.
                    if known is None or fact.value or not known.value:
                        found[fact.slot] = fact
        rests.append("".join(rest))
    return Told(tuple(found.values()), " ".join(" ".join(rests).split()) if found else text)


def _says_more(part: str, fact: Fact) -> bool:
    """Whether the words from which a fact was taken hold more than it: "two sisters", "most of all the big one"."""
    return fact.kind in ("likes", "dislikes", "has") and not set(words(part)) <= {*words(fact.text), *fact.about}


def _span(match: re.Match[str], fact: Fact) -> tuple[int, int]:
    """Where the fact stands in its sentence. The pattern of a name takes in what follows it."""
    place = (
        match.group("v").casefold().find(fact.value.casefold()) if fact.kind in ("name", "has") and fact.value else -1
    )
    return match.start(), match.end() if place < 0 else match.start("v") + place + len(fact.value)


_LANGUAGES = {
    "en": (latin.ENGLISH, latin.ENGLISH_BLOCKERS, latin.ENGLISH_HARMLESS, latin.ENGLISH_TAILS),
    "id": (latin.INDONESIAN, latin.INDONESIAN_BLOCKERS, latin.INDONESIAN_HARMLESS, latin.INDONESIAN_TAILS),
    "zh": (cjk.CHINESE, cjk.CHINESE_BLOCKERS, cjk.CHINESE_HARMLESS, cjk.CHINESE_TAILS),
    "ja": (cjk.JAPANESE, cjk.JAPANESE_BLOCKERS, cjk.JAPANESE_HARMLESS, cjk.JAPANESE_TAILS),
}
_QUOTED = re.compile(r"[\"“「『][^\"“”「」『』]*[\"”」』]")
_SENTENCE = re.compile(r"[^.!?。！？…\n]+[.!?。！？…]*")
_SHORT_FORMS = (
    (re.compile(r"\b(i)'m\b", re.IGNORECASE), r"\1 am"),
    (re.compile(r"\b(i|we)'ve\b", re.IGNORECASE), r"\1 have"),
    (re.compile(r"\b(i|we)'ll\b", re.IGNORECASE), r"\1 will"),
    (re.compile(r"\b(i)'d\b", re.IGNORECASE), r"\1 would"),
    (re.compile(r"\bcan't\b", re.IGNORECASE), "cannot"),
    (re.compile(r"\bwon't\b", re.IGNORECASE), "will not"),
    (re.compile(r"n't\b", re.IGNORECASE), " not"),
    (
        re.compile(
            r"\b(what|who|where|how|when|it|that|he|she|birthday|job|color|colour|"
            r"food)'s\b",
            re.IGNORECASE,
        ),
        r"\1 is",
    ),
    (re.compile(r"\b(my (?:full |real )?name)'s\b", re.IGNORECASE), r"\1 is"),
    (re.compile(r"'s (called|named)\b", re.IGNORECASE), r" is \1"),
)


def _sentences(text: str, language: Language, harmless: re.Pattern[str]) -> Iterator[str]:
    """The sentences that tell something: no questions, nothing between quotation marks, short forms written out."""
    text = _QUOTED.sub(",", text)
    for sentence in _SENTENCE.findall(text):
        if sentence.rstrip().endswith("?"):
            continue
        if language == "en":
            for short, full in _SHORT_FORMS:
                sentence = short.sub(full, sentence)
        sentence = harmless.sub(",", sentence.rstrip(".!。！… ")).strip(" ,，")
        if sentence:
            yield sentence


def _facts(kind: str, match: re.Match[str], language: Language, at: datetime) -> Iterator[Fact]:
    """The facts of one match, or none where its value is none."""
    groups = match.groupdict()
    value, subject = (groups.get("v") or "").strip(" ,，、"), (groups.get("s") or "").strip()
    if _TOY.search(groups.get("adjective") or ""):
        return
    if kind in ("name", "has"):
        named = _name(value, language)
        if named is None and (kind == "name" or value):
            return
        value = named or ""
    elif kind in ("likes", "dislikes"):
        for thing in _AND.split(value) if language in ("en", "id") else re.split("、|和", value):
            if liked := _thing(thing, language, most=6):
                yield _fact(kind, re.sub("^(?:to |[吃喝玩看听](?=..))", "", liked), liked, language, at)
        return
    elif kind == "birthday":
        value = _date(value, language, at)
    elif kind in ("favourite", "lives", "job"):
        value = _thing(value, language, most=4)
        if not value or (kind == "lives" and _A_HOUSE.match(value)):
            return
    elif kind in ("promise", "remember"):
        value = _clause(value)
        if not value:
            return
        subject = value
    if kind == "has":
        subject = subject_of(subject, language)
        if groups.get("another") and value:
            subject = f"{subject} {value}"
    yield _fact(kind, subject, value, language, at)


def _fact(kind: str, subject: str, value: str, language: Language, at: datetime) -> Fact:
    template = TEMPLATES[language]["has_one" if kind == "has" and not value else kind]
    text = template.format(s=subject.partition(" ")[0] if kind == "has" else subject, v=value, day=day(at, language))
    return Fact(kind, subject, value, text, about(kind, subject, language))


_AND = re.compile(r",|\band\b|\bdan\b|&")
_TOY = re.compile(
    r"\b(?:toy|stuffed|plush|hot|lego|imaginary|robot|pretend|paper|cuddly|no|virtual|"
    r"favou?rite)\b",
    re.IGNORECASE,
)
_A_HOUSE = re.compile(
    r"(?:an?|my|our|this|that|one|his|her|sebuah)\b|.*\d|.*(?:房子|公寓|家里|アパート|"
    r"マンション)",
    re.IGNORECASE,
)
_NO_NAME = word_set(
    "not no never nothing what who the a an my your our his her its very so really too on in at of written "
    "spelled short "
    "long funny hard difficult easy weird cool nice pretty beautiful secret it that this there always also again "
    "bad good "
    "when if because by you he she they we i me maybe is are was fun great stupid sick dead gone here old new "
    "big small "
    "apa siapa bukan tidak nggak itu ini yang ada sudah sama sangat"
)
_NOT_AFTER_NAME = _NO_NAME | word_set(
    "and but hello hi hey yes yeah ok okay please thanks thank today now tomorrow yesterday sometimes though "
    "actually "
    "right nice what how where why can do does will would have has likes loves lives went goes want wants for "
    "from to "
    "with i he she it we they his her its my our who is am are was dan tapi aku saya kamu halo ya juga sekarang "
    "dia umurku suka tinggal"
)
_TITLES = word_set("mister mr mrs miss doctor dr captain king queen prince princess sir lady little big aunt uncle")
_NO_THING = re.compile(
    r"(?:it|that|this|these|those|you|him|her|them|me|us|he|she|they|my|your|yours|his|its|our|their|how|when|"
    r"what|who|where|"
    r"why|if|not|as|so|one|being|be|talking|everything|nothing|anything|kamu|dia|itu|ini|nya|kalau)\b"
    r"|[你您他她它这那我]|什么|上了|过|あなた|それ|これ|あれ|この|その|(?:好き|嫌い)",
    re.IGNORECASE,
)
_NO_CJK_NAME = re.compile(
    r"^(?:不|我|你|他|她|它|上|来|去|人|车|外卖|爸|妈|了|过|得|着|什么|啥|谁|这|那)|[吗呢]|来$|什么|じゃ|では|"
    r"ない|あなた|何|秘密"
)


def _name(value: str, language: Language) -> str | None:
    """A name at the start of `value`; None where there is none. Small letters get a capital one."""
    if language in ("zh", "ja"):
        return value if value and not _NO_CJK_NAME.search(value) else None
    found = re.findall(r"[^\W\d_][\w'-]*", value)
    if not found or found[0].casefold() in _NO_NAME:
        return None
    ends = [place for place, one in enumerate(found) if place and one.casefold() in _NOT_AFTER_NAME]
    found = found[: ends[0]] if ends else found
    several = 1
    if found[0].casefold() in _TITLES or len(found) == 2:
        several = min(2, len(found))
    elif value != value.casefold():
        while several < min(len(found), 4) and found[several][:1].isupper() and found[several] != "I":
            several += 1
    name = " ".join(one if one != one.casefold() else one[:1].upper() + one[1:] for one in found[:several])
    return name[:60]


def _thing(value: str, language: Language, most: int) -> str:
    """Something that can be liked, or a place; empty where it says nothing by itself ("it", "your voice")."""
    value = re.sub(r"^(?:an?|the|some|any|eating|a lot of) (?=\w)", "", value.strip(" ,，、"), flags=re.IGNORECASE)
    if language in ("en", "id"):
        return "" if not value or _NO_THING.match(value) or len(value.split()) > most else value[:60]
    value = value.strip("的")
    return "" if not value or _NO_THING.match(value) else value


def _clause(value: str) -> str:
    """The words of a promise or of something to remember; empty where there is too little to keep."""
    value = value.strip(" ,，、:：")
    small = value.casefold()
    if len(small.split()) < 2 and not re.search(r"[\u3041-\u9fff]{3,}", small):
        return ""
    return (
        ""
        if re.match(
            r"(?:me|when|the time|how|what|who|where|why|if)\b|我吗?$|什么|"
            r"aku\b",
            small,
        )
        else value[:160]
    )


def _date(value: str, language: Language, at: datetime) -> str:
    """Today and tomorrow as the day that they are; other dates as they were said."""
    ahead = {"today": 0, "今天": 0, "今日": 0, "hari ini": 0, "tomorrow": 1, "明天": 1, "明日": 1, "besok": 1}
    days = ahead.get(value.casefold())
    return value if days is None else day(at + timedelta(days=days), language)

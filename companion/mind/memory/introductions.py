"""Who says that they are speaking: "my name is ana", 我叫安娜, アナです, "nama saya ana". Pure.

Speech-to-text gives small letters without punctuation, so nothing but the words can tell a name from the rest. A wrong
switch gives one person's memories to another, a missed one is put right by saying it again: where in doubt, nobody
switches. So a form counts at the beginning of an utterance only, behind greetings at most; a question and a "not" are
none. A name never heard before must not be a word of `name_words`. Where the form could say anything ("i'm ...")
nothing else may be said, and without a greeting only a common name counts (`first_names`): no list holds all that
people are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from companion.languages.language import Code as Language
from companion.mind.memory.first_names import FIRST_NAMES
from companion.mind.memory.name_words import NEVER, NO_CHINESE_NAME, NOT_AFTER_IM, SURNAMES

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_BETWEEN_CJK = re.compile(r"(?<=[\u3040-\u30ff\u3400-\u9fff])\s+|\s+(?=[\u3040-\u30ff\u3400-\u9fff])")
_GREETINGS: dict[Language, frozenset[str]] = {
    "en": frozenset(
        {"hi", "hello", "hey", "good", "morning", "evening", "afternoon", "um", "uh", "oh", "well", "so", "okay", "ok"}
        | {"no", "yes", "yeah", "and", "now", "actually", "please", "there", "again", "my", "friend", "everyone", "you"}
        | {"can", "just", "nice", "to", "meet"}
    ),
    "id": frozenset(
        {"halo", "hai", "hei", "hello", "selamat", "pagi", "siang", "sore", "malam", "eh", "oh", "ya", "iya", "nah"}
        | {"um", "oke", "tolong", "bukan", "dan", "kenalkan", "perkenalkan", "teman"}
    ),
}
_SAYS: dict[Language, tuple[tuple[str, ...], ...]] = {
    "en": (("my", "name", "is"), ("my", "name's"), ("call", "me"), ("it's", "me"), ("it", "is", "me"), ("its", "me")),
    "id": (
        *(("nama", who, "adalah") for who in ("saya", "aku", "gue")),
        *(("nama", who) for who in ("saya", "aku", "gue")),
        *(("panggil", who) for who in ("saya", "aku", "aja", "saja")),
        ("namaku", "adalah"),
        ("namaku",),
    ),
}
"""Forms that say a name and nothing else."""
_IS: dict[Language, tuple[tuple[str, ...], ...]] = {
    "en": (("i'm",), ("im",), ("i", "am"), ("this", "is")),
    "id": (("aku", "adalah"), ("saya", "adalah"), ("aku",), ("saya",), ("ini",)),
}
"""Forms that can say anything: a known name counts, another one only where nothing else is said."""
_AFTER: dict[Language, frozenset[str]] = {
    "en": frozenset({"please", "now", "here", "speaking", "talking", "okay", "ok", "again", "hello", "hi", "too"}),
    "id": frozenset({"ya", "di", "sini", "lagi", "sekarang", "dong", "aja", "saja"}),
}
_KIN = frozenset(
    {"brother", "sister", "friend", "friends", "mom", "mum", "mommy", "mummy", "mother", "dad", "daddy", "father"}
    | {"grandma", "grandpa", "aunt", "uncle", "teacher", "cousin", "son", "daughter", "dog", "s", "or", "right"}
    | {"isn't", "temannya", "kakaknya", "adiknya", "ibunya", "ayahnya", "mamanya", "papanya", "atau", "kan", "bukan"}
)
"""After a name: then it was not the speaker's, or it was a question."""
_NO_NAME_ENDS_SO = re.compile(
    r".+(?:ing|ful|less|ous|able|ible|ish|ier|iest|ness|ment|tion|ive|ory|ary)|.{4,}ed|.{5,}ly|.{4,}(?:ic|al|ant|ent|ate)"
)
_VERBS_INDONESIAN = re.compile(r"(?:ber|ter|men|mem|meng|meny|ke.+an$|.+kan$).*")

_CHINESE_HELLO = "(?:你好|您好|大家好|早上好|晚上好|下午好|嗨|哈喽|嘿|喂|嗯|哦|啊|呃|对|不是|不|其实|那个|现在|{own})*"
_CHINESE_SAYS = "(?:我的名字[叫是]|我名字[叫是]|我叫|(?:你|你们)?(?:可以|请|就)?叫我|是我)"
_CHINESE_END = r"(?:吧|啊|呀|哦|啦|呢|哟|嘛)*(?=$|[，。！、,.! ]|我|你|今天|想|要|很高兴|请|来)"
_CHINESE_MARKS = "[，。！,! ]*"
_CHINESE_ASKS = re.compile(r"[吗么]$|对不对|是不是")
_NAME_CHINESE = r"(?P<name>[\u4e00-\u9fff·]{2,4}?|[A-Za-z][A-Za-z'-]+)"
_JAPANESE_HELLO = (
    "(?:こんにちは|こんばんは|おはようございます|おはよう|はじめまして|初めまして|やあ|やっほー|ねえ|ねぇ|えっと"
    "|あの|うん|もしもし|ハロー|はい|いいえ|ううん|ちがうよ|{own}|[、。！ ])*"
)
_JAPANESE_I = "(?:わたし|私|ぼく|僕|おれ|俺|あたし|うち)"
_JAPANESE_NAME = r"(?P<name>[ァ-ヴー]{2,8}|[\u4e00-\u9fffぁ-んァ-ヴー々]{1,8}?|[A-Za-z]{2,12})(?:ちゃん|くん|さん)?"
_JAPANESE_IS = "(?:です|だよ|だ|なの)(?:よ|ね)?"
_JAPANESE_CALLED = "(?:って|と)(?:いいます|言います|申します|いうの|いうよ|いう|呼んで|よんで)(?:です|ください|ね|よ)*"
_JAPANESE_SAYS = (
    f"(?:{_JAPANESE_I}の)?(?:お?名前)は{_JAPANESE_NAME}(?:{_JAPANESE_IS}|{_JAPANESE_CALLED})?",
    f"(?:{_JAPANESE_I}は?、?)?{_JAPANESE_NAME}{_JAPANESE_CALLED}",
)
_JAPANESE_SHORT = f"(?:{_JAPANESE_I}は?、?)?{_JAPANESE_NAME}{_JAPANESE_IS}"
_JAPANESE_ASKS = re.compile("(?:か|かな|かしら|よね|でしょ|だっけ)$")
_KATAKANA_NAME = re.compile("[ァ-ヴー]{2,6}")
_JAPANESE_NOBODY = re.compile("何|なに|なん|誰|だれ|どこ|秘密|ひみつ|知らない|ない")


def introduced(
    text: str, languages: Iterable[Language], known: Sequence[str] = (), character: Sequence[str] = ()
) -> str | None:
    """The name by which the speaker of `text` introduces themselves, or None.

    `known` are names heard before, which are returned as they are written there; `character` are the names of those
    who are spoken to, which may stand before the form and are never the speaker's.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if text.endswith(("?", "？")) or len(text) > 200:
        return None
    others = {name.casefold() for name in character}
    for language in languages:
        if language in ("zh", "ja"):
            name = _east_asian(language, _BETWEEN_CJK.sub("", text), known, character)
        else:
            name = _spaced(language, text, known, character)
        if name and name.casefold() not in others:
            return name
    return None


def _spaced(language: Language, text: str, known: Sequence[str], character: Sequence[str]) -> str | None:
    """English and Indonesian."""
    original = [word.replace("’", "'") for word in _WORD.findall(text)]
    words = [word.casefold() for word in original]
    skipped = _GREETINGS[language] | {word for name in character for word in _folded(name)}
    at = 0
    while at < len(words) and words[at] in skipped and not _form(words, at, _SAYS[language]):
        at += 1
    sure = _form(words, at, _SAYS[language])
    start = at + (sure or _form(words, at, _IS[language]))
    if start == at or start >= len(words):
        return None
    for name in sorted(known, key=len, reverse=True):
        folded = _folded(name)
        after = start + len(folded)
        if folded and words[start:after] == folded and not (after < len(words) and words[after] in _KIN):
            return name
    rest = words[start:]
    while len(rest) > 1 and rest[-1] in _AFTER[language]:
        rest.pop()
    if not _may_be_name(language, rest[0], sure=bool(sure)) or any(word in _KIN for word in words[start + 1 :]):
        return None
    if not sure:
        # "this is ana" may introduce somebody else; "this is ana speaking" does not.
        somebody = words[at] in ("this", "ini") and len(rest) == len(words) - start
        greets = at > 0 or words[at] in ("this", "ini")
        likely = greets or rest[0] in FIRST_NAMES[language]
        return None if somebody or len(rest) > 1 or not likely else _titled(original[start : start + 1])
    if words[at] in ("call", "it's", "its", "it", "panggil") and len(rest) > 2:
        return None
    whole = len(rest) == 2 and _may_be_name(language, rest[1], sure=False)
    return _titled(original[start : start + (2 if whole else 1)])


def _form(words: Sequence[str], at: int, forms: Iterable[tuple[str, ...]]) -> int:
    """How many words the first form that stands there has; 0 where none does."""
    return next((len(form) for form in forms if tuple(words[at : at + len(form)]) == form), 0)


def _may_be_name(language: Language, word: str, *, sure: bool) -> bool:
    if not 2 <= len(word) <= 20 or not word.replace("-", "").replace("'", "").isalpha():
        return False
    if word in NEVER[language] - FIRST_NAMES[language] or "'" in word[-2:]:
        return False
    if sure:
        return True
    if language == "en":
        return word in FIRST_NAMES["en"] or not (word in NOT_AFTER_IM or _NO_NAME_ENDS_SO.fullmatch(word))
    return not (len(word) > 6 and _VERBS_INDONESIAN.fullmatch(word))


def _titled(words: Iterable[str]) -> str:
    """Names as they are written: speech-to-text knows no capitals."""
    return " ".join(word.title() if word.islower() else word for word in words)


def _folded(name: str) -> list[str]:
    return [word.replace("’", "'").casefold() for word in _WORD.findall(unicodedata.normalize("NFC", name))]


def prepare(languages: Iterable[Language], known: Sequence[str] = (), character: Sequence[str] = ()) -> None:
    """Make the patterns now that `introduced` needs for these, which takes tens of milliseconds on a slow board."""
    for language in languages:
        if language in ("zh", "ja"):
            _east_asian(language, "。", known, character)


def _east_asian(language: Language, text: str, known: Sequence[str], character: Sequence[str]) -> str | None:
    own = "|".join(map(re.escape, character)) or "(?!)"
    return (_chinese if language == "zh" else _japanese)(text, own, known)


@lru_cache(maxsize=4)
def _chinese_known(own: str, known: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True)) or "(?!)"
    hello = _CHINESE_HELLO.format(own=own) + _CHINESE_MARKS
    return re.compile(f"{hello}(?:{_CHINESE_SAYS}|我是)(?P<name>{names}){_CHINESE_END}", re.IGNORECASE)


@lru_cache(maxsize=4)
def _chinese_forms(own: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """One that says a name and nothing else, and one that can say anything."""
    hello = _CHINESE_HELLO.format(own=own) + _CHINESE_MARKS
    return (
        re.compile(f"{hello}{_CHINESE_SAYS}{_NAME_CHINESE}{_CHINESE_END}"),
        re.compile(f"{hello}我是{_NAME_CHINESE}(?:啊|呀|哦|啦|哟)*[。！!]?$"),
    )


def _chinese(text: str, own: str, known: Sequence[str]) -> str | None:
    if _CHINESE_ASKS.search(text):
        return None
    if found := _chinese_known(own, tuple(known)).match(text):
        return next((name for name in known if name.casefold() == found["name"].casefold()), None)
    says, may_say = _chinese_forms(own)
    if found := says.match(text):
        name = found["name"]
        return name if _may_be_chinese(name) else None
    if found := may_say.match(text):
        name = found["name"]
        likely = name[0] in SURNAMES and len(name) <= 3
        return name if _may_be_chinese(name) and (likely or name.isascii() or name[0] in "小阿") else None
    return None


def _may_be_chinese(name: str) -> bool:
    if name.isascii():
        return name.casefold() not in NEVER["en"]
    return name[0] not in NO_CHINESE_NAME - SURNAMES - {"小"} and not any(map(name.startswith, NEVER["zh"]))


@lru_cache(maxsize=4)
def _japanese_forms(own: str) -> tuple[re.Pattern[str], ...]:
    """The last one is the short one, which can say anything."""
    hello = _JAPANESE_HELLO.format(own=own)
    return tuple(re.compile(hello + form) for form in (*_JAPANESE_SAYS, _JAPANESE_SHORT))


def _japanese(text: str, own: str, known: Sequence[str]) -> str | None:
    text = text.rstrip("。！! ")
    if _JAPANESE_ASKS.search(text):
        return None
    *_, short = forms = _japanese_forms(own)
    for form in forms:
        found = form.fullmatch(text)
        if not found or _JAPANESE_NOBODY.search(name := found["name"]):
            continue
        if said := next((one for one in known if one.casefold() == name.casefold()), None):
            return said
        katakana = _KATAKANA_NAME.fullmatch(name) is not None
        greets = found.start("name") > 0
        if name not in NEVER["ja"] and (form is not short or (katakana and greets) or name in FIRST_NAMES["ja"]):
            return name
    return None

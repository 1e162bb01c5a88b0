"""How a fact is told to the model, and by which words it is called to mind. Pure.

Sentences are in the language in which the fact was said, about a person whom the model does not address: "they".
"""

from __future__ import annotations

import re
from datetime import datetime

from companion.languages.language import Code as Language
from companion.mind.memory.index_words import is_character, word_set, words

TEMPLATES: dict[Language, dict[str, str]] = {
    "en": {
        "name": "Their name is {v}.",
        "age": "They are {v} years old (said on {day}).",
        "birthday": "Their birthday is {v}.",
        "likes": "They like {v}.",
        "dislikes": "They do not like {v}.",
        "favourite": "Their favourite {s} is {v}.",
        "has": "Their {s} is called {v}.",
        "has_one": "They have a {s}.",
        "lives": "They live in {v}.",
        "grade": "They are in {v} (said on {day}).",
        "job": "They work as {v}.",
        "promise": 'On {day} they promised: "{v}".',
        "remember": 'They asked you to remember: "{v}".',
        "said": 'On {day} they said: "{v}"',
    },
    "zh": {
        "name": "对方名叫{v}。",
        "age": "对方{v}岁（{day}说的）。",
        "birthday": "对方的生日是{v}。",
        "likes": "对方喜欢{v}。",
        "dislikes": "对方不喜欢{v}。",
        "favourite": "对方最喜欢的{s}是{v}。",
        "has": "对方的{s}叫{v}。",
        "has_one": "对方有{s}。",
        "lives": "对方住在{v}。",
        "grade": "对方上{v}（{day}说的）。",
        "job": "对方的工作是{v}。",
        "promise": "{day}对方答应过：“{v}”。",
        "remember": "对方让你记住：“{v}”。",
        "said": "{day}对方说过：“{v}”",
    },
    "ja": {
        "name": "相手の名前は{v}です。",
        "age": "相手は{v}歳です（{day}に聞いた）。",
        "birthday": "相手の誕生日は{v}です。",
        "likes": "相手は{v}が好きです。",
        "dislikes": "相手は{v}が好きではありません。",
        "favourite": "相手の一番好きな{s}は{v}です。",
        "has": "相手の{s}の名前は{v}です。",
        "has_one": "相手には{s}がいます。",
        "lives": "相手は{v}に住んでいます。",
        "grade": "相手は{v}です（{day}に聞いた）。",
        "job": "相手の仕事は{v}です。",
        "promise": "{day}に相手はこう約束しました：「{v}」。",
        "remember": "覚えておくよう頼まれたこと：「{v}」。",
        "said": "{day}に相手はこう言いました：「{v}」",
    },
    "id": {
        "name": "Namanya {v}.",
        "age": "Umurnya {v} tahun (dikatakan {day}).",
        "birthday": "Ulang tahunnya {v}.",
        "likes": "Dia suka {v}.",
        "dislikes": "Dia tidak suka {v}.",
        "favourite": "{s} kesukaannya {v}.",
        "has": "Nama {s} miliknya {v}.",
        "has_one": "Dia punya {s}.",
        "lives": "Dia tinggal di {v}.",
        "grade": "Dia {v} (dikatakan {day}).",
        "job": "Dia bekerja sebagai {v}.",
        "promise": 'Pada {day} dia berjanji: "{v}".',
        "remember": 'Dia minta kamu mengingat: "{v}".',
        "said": 'Pada {day} dia berkata: "{v}"',
    },
}

ASKED: dict[str, re.Pattern[str]] = {
    "name": re.compile(
        r"\bmy (?:nick)?name\b|\bwho (?:am i|i am)\b|\bwhat am i called|我(?:叫什么|叫啥|是谁|的(?:名字|小名|外号))|"
        r"(?:私|僕|俺|わたし|"
        r"ぼく)の名前"
        r"|(?:私|僕|俺|わたし|ぼく)(?:は|が)誰|\bnama(?:ku| saya| aku)\b|\bsiapa (?:aku|saya)\b"
    ),
    "age": re.compile(
        r"\bhow (?:many years )?old (?:am i|i am)\b|\bmy age\b|我(?:今年|现在)?(?:几岁|多大|多少岁)|(?:私|僕|俺|"
        r"わたし|ぼく).{0,3}(?:何歳|いくつ)"
        r"|\b(?:umur|usia)(?:ku| saya| aku)\b"
    ),
    "birthday": re.compile(
        r"\bmy birthday\b|\b(?:was i|i was) born\b|我的?生日|我(?:什么时候|哪天|几号|几月)过?生日|我.{0,4}出生|"
        r"(?:^|私の|僕の|俺の|わたしの|ぼくの)誕生日"
        r"|\bulang tahun(?:ku| saya| aku)\b|\b(?:aku|saya) lahir\b"
    ),
    "likes": re.compile(
        r"\b(?:what|which)\b.{0,20} i (?:like|love|enjoy)\b|"
        r"我(?:最|都)?(?:喜欢|爱吃|爱玩)(?:吃|玩|喝|看)?(?:什么|啥|哪)"
        r"|(?:私|僕|俺|わたし|ぼく)(?:の|が|は).{0,3}好きな|(?:私|僕|俺|わたし|ぼく)は何が好き|\b(?:aku|saya) "
        r"(?:suka|senang) apa\b"
        r"|\bapa (?:yang )?(?:aku|saya) suka\b"
    ),
    "dislikes": re.compile(
        r"\b(?:what|which)\b.{0,20} i (?:hate|dislike|do not like|don't like|not like)\b|我(?:不喜欢|讨厌)(?:吃|玩|喝|"
        r"看)?(?:什么|啥|哪)"
        r"|何が嫌い|嫌いな(?:もの|食べ物)は|\b(?:aku|saya) (?:tidak|nggak|gak) suka apa\b"
    ),
    "lives": re.compile(
        r"\bwhere (?:do |did )?i live\b|\bwhere am i from\b|\bwhat (?:city|town|country) (?:do|am) i\b|"
        r"我(?:家)?住在?(?:哪|什么)"
        r"|我家在哪|(?:私|僕|俺|わたし|ぼく).{0,6}どこに住|\b(?:aku|saya) tinggal di ?mana\b|\bdi ?mana (?:aku|"
        r"saya) tinggal\b"
    ),
    "grade": re.compile(
        r"\bwhat (?:grade|class|year) (?:am i|i am)\b|我.{0,4}几年级|(?:私|僕|俺|わたし|ぼく).{0,3}何年生|"
        r"\b(?:aku|saya) kelas berapa\b"
    ),
    "job": re.compile(
        r"\bwhat do i do for\b|\bmy job\b|\bwhere do i work\b|我(?:是做什么|做什么工作|的工作)|(?:私|僕|俺)の仕事"
        r"|\bpekerjaan(?:ku| saya| aku)\b"
    ),
    "promise": re.compile(
        r"\b(?:what|did|have|which|do you remember)\b.*\bi (?:have )?promised?\b|\bmy promises?\b|我.{0,4}(?:答应|"
        r"约定|保证)"
        r"|(?:私|僕|俺|何を).{0,6}約束|\b(?:aku|saya) (?:ber)?janji apa\b|\bapa janji(?:ku| saya)\b|\bjanjiku\b"
    ),
    "remember": re.compile(
        r"\bi (?:ask|asked|tell|told|want|wanted) you to (?:remember|keep in mind)|我(?:让|叫|要|请)你(?:记|别忘)|"
        r"覚えて(?:おいて)?(?:って|と)"
        r"|\b(?:suruh|minta)\w* .*ingat"
    ),
}
"""By kind: what somebody says who wants to hear all facts of that kind. Matched against small letters."""

_PETS = word_set("dog cat rabbit bunny hamster fish goldfish turtl tortois parrot bird budgy pig hors pony lizard")
_ANIMALS = word_set("anjing kucing kelinci hamster ikan kura burung kuda ayam bebek marmut")
_GROUPS: dict[Language, tuple[re.Pattern[str], str, str]] = {
    "en": (re.compile("|".join(sorted(_PETS)) + "|snake|mouse|gecko|chicken|duck"), "pet animal", "family"),
    "id": (re.compile("|".join(sorted(_ANIMALS))), "peliharaan hewan", "keluarga"),
    "zh": (re.compile("[狗猫兔鼠鱼龟鹉鸟马鸭]"), "宠物 动物", "家人"),
    "ja": (re.compile("[犬猫兎魚亀鳥馬]|いぬ|ねこ|うさぎ|ウサギ|ハムスター|カメ|かめ|インコ"), "ペット 動物", "家族"),
}
_SAME_ANIMAL = dict(
    pair.split(":")
    for pair in word_set(
        "狗狗:狗 猫咪:猫 好朋友:朋友 いぬ:犬 子犬:犬 ねこ:猫 子猫:猫 ウサギ:うさぎ 兎:うさぎ カメ:亀 "
        "かめ:亀 友だち:友達"
    )
)


def subject_of(said: str, language: Language) -> str:
    """One name for one animal or relative: "puppies" is `dog`, "小狗" is `狗`."""
    if language == "zh":
        said = said.removeprefix("小")
    if language in ("zh", "ja"):
        return _SAME_ANIMAL.get(said, said)
    small = said.casefold()
    one = {"puppies": "dog", "puppy": "dog", "kitten": "cat", "kittens": "cat", "kitty": "cat", "mice": "mouse"}
    relatives = {"mum": "mother", "mom": "mother", "mommy": "mother", "mummy": "mother", "dad": "father"}
    relatives |= {"daddy": "father", "grandma": "grandmother", "granny": "grandmother", "grandpa": "grandfather"}
    if small in one or small in relatives:
        return (one | relatives)[small]
    if language == "en" and small.endswith("ies"):
        return small[:-3] + "y"
    return small[:-1] if language == "en" and small.endswith("s") and not small.endswith("ss") else small


def about(kind: str, subject: str, language: Language) -> tuple[str, ...]:
    """The words of which one is enough for a fact to matter, when the person speaks of themselves."""
    if kind not in ("has", "favourite", "likes", "dislikes"):
        return ()
    found = words(subject)
    if kind == "has":
        animal, pet, relative = _GROUPS[language]
        found = (*found, *words(pet if animal.search(subject) else relative))
    # One character of a longer word says nothing by itself.
    return tuple(word for word in found if not is_character(word) or word == subject)


def day(at: datetime, language: Language) -> str:
    """A date as it is said: `3 May 2026`, `2026年5月3日`."""
    if language in ("zh", "ja"):
        return f"{at.year}年{at.month}月{at.day}日"
    months = _MONTHS[language].split()
    return f"{at.day} {months[at.month - 1]} {at.year}"


_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "id": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
}

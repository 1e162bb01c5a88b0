"""Who says that they are speaking, from words as speech-to-text gives them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.languages.language import language
from companion.mind.memory.introductions import introduced_name

LANGUAGES = tuple(map(language, ("en", "zh", "ja", "id")))
CHARACTERS = ("Momo", "江让")


def who(said: str, *known: str) -> str | None:
    return introduced_name(said, LANGUAGES, known, CHARACTERS)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("my name is ana", "Ana"),
        ("hello momo my name is ana and i like dogs", "Ana"),
        ("my name is ana maria", "Ana Maria"),
        ("My name's Zubaida.", "Zubaida"),
        ("call me ishmael", "Ishmael"),
        ("you can call me ana please", "Ana"),
        ("it's me ana", "Ana"),
        ("this is ana speaking", "Ana"),
        ("i'm ana", "Ana"),
        ("hi i'm zubaida", "Zubaida"),
        ("good morning momo i am ben", "Ben"),
        ("my name is grace", "Grace"),
        ("我叫安娜", "安娜"),
        ("我 叫 安娜", "安娜"),
        ("你好江让，我叫安娜，我想听故事", "安娜"),
        ("我的名字是王小明", "王小明"),
        ("叫我小明吧", "小明"),
        ("我是安娜", "安娜"),
        ("アナです", "アナ"),
        ("こんにちは 僕 の 名前 は はると です", "はると"),
        ("たろうって呼んで", "たろう"),
        ("nama saya ana", "Ana"),
        ("halo namaku budi", "Budi"),
        ("aku ana", "Ana"),
    ],
)
def test_somebody_who_says_their_name_is_met(said: str, name: str) -> None:
    assert who(said) == name


@pytest.mark.parametrize(
    "said",
    [
        "i'm ana and i want a story",
        "no i'm ana",
        "this is ana",
        "well actually i am ana",
        "我是安娜我饿了",
        "アナだよ",
        "ini ana",
        "aku ana mau dengar cerita",
    ],
)
def test_a_known_name_is_enough(said: str) -> None:
    assert who(said, "Ana", "安娜", "アナ") in ("Ana", "安娜", "アナ")


@pytest.mark.parametrize(
    "said",
    [
        *("i'm not ana", "is my name ana?", "is my name ana", "do you know my name is ana", "what if i'm ana"),
        *("i'm ana's brother", "i'm ana right", "my name isn't ana", "her name is ana", "pretend i'm ana"),
        *("say my name is ana", "this is my friend ana", "where is ana", "ana is here", "ana", "you are ana"),
        *("我不是安娜", "我叫安娜吗", "我是安娜的妈妈", "安娜在哪里", "她叫安娜", "你叫安娜"),
        *("アナじゃない", "アナですか", "アナのママです", "アナはどこ", "aku bukan ana", "dia ana", "aku temannya ana"),
    ],
)
def test_what_is_said_about_somebody_is_no_introduction(said: str) -> None:
    assert who(said, "Ana", "安娜", "アナ") is None


STATES = """
hungry thirsty here there done four nine hundred bored tired sleepy cold hot sad happy scared angry sorry sick
fine ok okay good great ready back home upstairs outside late lost finished playing eating going coming not in
on it him yours afraid alone alive asleep awake better worse busy crazy dizzy dead drunk early excited famous
free friendly full funny gone grounded grumpy hiding hurt itchy jealous joking kidding lonely lucky mad naked
nervous next new nice old poor pretty proud quiet rich safe serious shy silly smart sure strong stuck stupid
super sweaty tall ticklish tough trying ugly upset vegetarian warm weird well winning worried wrong young
starving exhausted adrift alert content evil humble melancholic ecstatic zany a the so very just only always
never almost still superman pirate
"""


@pytest.mark.parametrize(
    "form", ["i'm {}", "i am {}", "im {}", "I'm {}.", "momo i'm so {}", "i'm {} now", "i'm {} and cold"]
)
def test_how_and_where_somebody_is_is_no_name(form: str) -> None:
    assert [word for word in STATES.split() if who(form.format(word))] == []


@pytest.mark.parametrize(
    "said",
    [
        *(
            "my name is hard to spell",
            "my name is not important",
            "my name is on the cup",
            "my name is",
            "call me later",
        ),
        *(
            "call me when you are done",
            "call me a taxi",
            "it's me again",
            "it's me",
            "this is fun",
            "i'm",
            "this is a dog",
        ),
        *(
            "hi i'm hungry",
            "hello momo i'm back",
            "hello i'm here now",
            "good morning i'm tired",
            "my name is a secret",
        ),
        *(
            "我叫什么名字",
            "我叫不出来",
            "我叫你",
            "我叫妈妈来",
            "我是学生",
            "我是中国人",
            "我是谁",
            "我是男孩",
            "我是认真的",
        ),
        *(
            "我很饿",
            "我是第一名",
            "我是四岁",
            "元気です",
            "ケーキです",
            "私は学生です",
            "名前は何ですか",
            "お腹すいた",
            "バナナだよ",
        ),
        *(
            "そうです",
            "いいです",
            "aku lapar",
            "aku mau tidur",
            "saya sakit",
            "aku di sini",
            "halo aku capek",
            "ini dia",
        ),
        *("aku ada", "nama saya siapa", "", " ", "?", "i'm momo", "my name is momo"),
    ],
)
def test_what_else_begins_like_a_name_is_none(said: str) -> None:
    assert who(said) is None


def test_only_the_personas_languages_count() -> None:
    assert introduced_name("nama saya ana", LANGUAGES[:1]) is None


def test_a_known_person_keeps_the_name_as_it_is_written() -> None:
    assert who("hi i'm mcdonald", "McDonald") == "McDonald"
    assert who("my name is anna-lena", "Anna-Lena") == "Anna-Lena"


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=10), max_size=3))
def test_anything_may_be_said_and_a_name_is_never_empty(said: str, known: list[str]) -> None:
    name = who(said, *known)
    assert name is None or name.strip()

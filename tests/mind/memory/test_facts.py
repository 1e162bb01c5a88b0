"""What is taken from an utterance as a fact, what never is."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.languages.language import language
from companion.languages.understood import understood
from companion.mind.memory.facts import Fact, find_facts, slot_of
from companion.mind.memory.retrieval import quotable_words
from companion.mind.memory.utterance import is_private, is_question

AT = datetime(2026, 5, 3, 12, 0)


ALL = understood("en")


def facts(said: str, at: datetime) -> tuple[Fact, ...]:
    return find_facts(said, at, ALL).facts


def slot(fact: Fact) -> str:
    return slot_of(fact.kind, fact.subject, ALL, language(fact.language))


def told(said: str) -> set[tuple[str, str, str]]:
    return {(fact.kind, fact.subject, fact.value) for fact in facts(said, AT)}


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("hi my name is ana and i'm seven years old", ("name", "", "Ana")),
        ("hi my name is ana and i'm seven years old", ("age", "", "seven")),
        ("hello how are you my name is tom", ("name", "", "Tom")),
        ("Hi! My name is Ana Maria. I like dinosaurs.", ("name", "", "Ana Maria")),
        ("my dog's called rex he is brown", ("has", "dog", "Rex")),
        ("i have a big brown dog named rex", ("has", "dog", "Rex")),
        ("i have two cats", ("has", "cat", "")),
        ("my sister's name is mia", ("has", "sister", "Mia")),
        ("my birthday is on the third of may", ("birthday", "", "third of may")),
        ("tomorrow is my birthday", ("birthday", "", "4 May 2026")),
        ("my favorite color is blue", ("favourite", "color", "blue")),
        ("i like pizza and ice cream", ("likes", "ice cream", "ice cream")),
        ("i really love to swim but i don't like spiders", ("dislikes", "spiders", "spiders")),
        ("i live in lisbon", ("lives", "", "lisbon")),
        ("i'm in second grade", ("grade", "", "second grade")),
        ("my name is john smith and i work as a nurse", ("job", "", "nurse")),
        ("i promise to clean my room", ("promise", "clean my room", "clean my room")),
        ("我 的 狗 叫 旺财", ("has", "狗", "旺财")),
        ("我叫小明今年七岁", ("name", "", "小明")),
        ("你叫什么名字我叫小明", ("name", "", "小明")),
        ("我养了一只小猫", ("has", "猫", "")),
        ("我的生日是五月三号", ("birthday", "", "五月三号")),
        ("我最喜欢的颜色是蓝色", ("favourite", "颜色", "蓝色")),
        ("我喜欢吃苹果", ("likes", "苹果", "吃苹果")),
        ("我不喜欢打针", ("dislikes", "打针", "打针")),
        ("我住在上海", ("lives", "", "上海")),
        ("请记住钥匙在花盆下面", ("remember", "钥匙在花盆下面", "钥匙在花盆下面")),
        ("私の名前はゆきです", ("name", "", "ゆき")),
        ("ぼくは七歳です", ("age", "", "七")),
        ("犬の名前はポチです", ("has", "犬", "ポチ")),
        ("りんごが好きです", ("likes", "りんご", "りんご")),
        ("大阪に住んでいます", ("lives", "", "大阪")),
        ("namaku budi", ("name", "", "Budi")),
        ("aku punya anjing bernama bobi", ("has", "anjing", "Bobi")),
        ("aku tidak suka ular", ("dislikes", "ular", "ular")),
        ("ulang tahunku tanggal lima mei", ("birthday", "", "lima mei")),
    ],
)
def test_what_a_person_tells_becomes_a_fact(said: str, fact: tuple[str, str, str]) -> None:
    assert fact in told(said)


@pytest.mark.parametrize(
    "said",
    [
        *("what is my dog called", "do i like pizza", "do you know what my name is", "is my name ana", "I like pizza?"),
        *(
            "i wish i had a dog",
            "if i had a dog i would like it",
            "imagine i have a cat",
            "let's pretend my name is elsa",
        ),
        *("my name is not bob", "i don't have a dog", "i would like a dog", "my name is very long"),
        *("she said my name is kate", "the boy in the story says i have a dog", 'he shouted "i like snakes"'),
        *("i dreamed that my dog is called max", "i have a hot dog", "i have a toy dog", "i like you", "i love it"),
        *("how do you know that i like cats", "i am hungry", "my friend likes pizza", "i like how you sing"),
        *(
            "我的狗叫什么名字",
            "如果我有一只狗",
            "他说我叫小明",
            "我想有一只狗",
            "我没有狗",
            "我喜欢什么",
            "我喜欢你",
            "我叫妈妈来",
        ),
        *("私の犬の名前は何", "弟はりんごが好きです", "りんごが好きですか", "犬がいたらいいな", "名前はポチじゃない"),
        *("siapa namaku", "kalau aku punya anjing", "aku ingin punya anjing", "kata ibu aku suka ular"),
    ],
)
def test_what_was_not_told_is_never_invented(said: str) -> None:
    assert told(said) == set()


@pytest.mark.parametrize(
    "said",
    [
        *("i live at twelve baker street", "my address is two park lane and i like cats", "my password is banana"),
        *(
            "my phone number is five five five",
            "call me at 555 123 4567",
            "i go to saint mary school",
            "write to ana@home.org",
        ),
        *(
            "i have asthma and i like cats",
            "我的电话是一二三四五",
            "我住在人民路八号",
            "我对花生过敏",
            "パスワードはポチです",
        ),
        *("alamatku di jalan melati nomor dua", "aku alergi kacang"),
    ],
)
def test_private_things_make_no_facts_and_are_not_quoted(said: str) -> None:
    assert is_private(said, ALL)
    assert told(said) == set()
    assert quotable_words(said, said, ALL) == ()


def test_a_later_taste_has_the_place_of_the_earlier() -> None:
    (liked,), (hated,) = facts("i like spiders", AT), facts("i hate the spider", AT)
    assert slot(liked) == slot(hated)
    assert slot(liked) != slot(facts("i like snails", AT)[0])


def test_facts_are_told_in_the_language_in_which_they_were_said() -> None:
    assert facts("my dog is called rex", AT)[0].text == "Their dog is called Rex."
    assert facts("我的狗叫旺财", AT)[0].text == "对方的狗叫旺财。"
    assert facts("犬の名前はポチです", AT)[0].text == "相手の犬の名前はポチです。"
    assert "3 Mei 2026" in facts("umurku tujuh tahun", AT)[0].text


@given(st.text(max_size=300))
def test_any_text_is_read(said: str) -> None:
    for fact in facts(said, AT):
        assert fact.text
        assert slot(fact)
    assert ALL.of(said) in ALL
    assert is_question(said, ALL) in (True, False)


PIECES = (
    "i my name is ana have a dog called like pizza what do you if wish not said 我 叫 小明 的 狗 "
    "喜欢 什么 如果 他说 ？ ? . "
    ""
    "aku suka 私 は 好き です"
)


@given(st.lists(st.sampled_from(PIECES.split(" ")), max_size=20))
def test_a_question_mark_takes_every_fact_away(pieces: list[str]) -> None:
    said = " ".join(one for one in pieces if one not in ".。")
    assert facts(said + "?", AT) == ()

"""The emulator's characters: which one answers, what they say, and wrong script files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from companion.emulator import EmulatorServer
from companion.emulator.request import Message
from companion.emulator.script import Cast, CharacterScript, Rule, load_cast
from companion.emulator.tokens import strip_banned_directions
from companion.errors import ConfigError
from tests.support.paths import DATA

WORDS = DATA / "vosk-tiny" / "lexicon.txt"


@pytest.fixture(scope="module")
def cast() -> Cast:
    return load_cast()


def answer(cast: Cast, said: str, system: str = "You are Momo, a teddy bear.", shift: int = 0) -> str:
    return cast.answer([Message("system", system), Message("user", said)], shift)


CHARACTERS = load_cast().characters


def test_the_same_thing_said_again_gets_another_answer_and_the_same_talk_the_same(cast: Cast) -> None:
    first = answer(cast, "sing a song")
    talk = [Message("system", "You are Momo."), Message("user", "sing a song"), Message("assistant", first)]
    again = [*talk, Message("user", "another song please")]
    assert cast.answer(again) != first
    assert cast.answer(again) == cast.answer(again) == answer(cast, "sing a song", shift=1)


@pytest.mark.parametrize(
    ("system", "said", "part"),
    [
        ("You are Momo, a small brown teddy bear.", "i am hungry", "honey"),
        ("You are Jiang Rang, a young Go player.", "i read a book", "student|page"),
        ("你是江让，围棋天才。", "我在看书", "用功|十分钟"),
        ("You are the co-driver of a rally car.", "i am tired", "rest stop|Pull over"),
        ("You are a pirate parrot.", "thank you", "welcome"),
        ("Du bist Bruno, ein Dachs.", "ich bin traurig", "bei dir|zusammen"),
        ("Eres Lucero, un burrito.", "estoy triste", "contigo|juntos"),
        ("Tu es Pistache, une grenouille.", "je suis triste", "Je suis là|ensemble"),
        ("너는 토리, 달토끼야.", "나 슬퍼", "옆에|같이"),
        ("Você é Caju, um tamanduá.", "estou triste", "com você"),
    ],
)
def test_the_character_is_the_one_that_the_system_message_means(cast: Cast, system: str, said: str, part: str) -> None:
    assert re.search(part, answer(cast, said, system))


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("hello momo", "hello|hi"),
        ("how are you", "fine|awake|sleepy"),
        ("what is your name", "momo"),
        ("how old are you", "old"),
        ("sing me a song", "sing|la la|honey|hop"),
        ("tell me a story", "once|found|was"),
        ("tell me a joke", "what|why"),
        ("can you dance", "danc|wiggle"),
        ("jump please", "hop|up"),
        ("i am sad", "sorry|with you"),
        ("i am not happy", "sorry|with you"),
        ("i am happy", "happy"),
        ("i am tired", "tired|rest"),
        ("good night", "night|sleep"),
        ("what is your favorite color", "color|red"),
        ("do you like cat or dog", "animal|lion|pandas|bird"),
        ("thank you", "welcome|always"),
        ("i love you", "love|favorite"),
        ("play some music", "music|dum"),
        ("count to ten", "one, two|numbers"),
        ("i am hungry", "hungry|honey"),
        ("good morning", "good to see|awake"),
    ],
)
def test_momo_answers_what_children_say(cast: Cast, said: str, about: str) -> None:
    for shift in range(4):
        assert re.search(about, answer(cast, said, shift=shift), re.IGNORECASE)


def test_momo_has_something_of_her_own_to_say_to_the_words_that_the_ears_know(cast: Cast) -> None:
    words = sorted({line.split()[0] for line in WORDS.read_text().splitlines() if line.strip()})
    assert len(words) > 200
    own = [word for word in words if answer(cast, word) != answer(cast, "zzz")]
    assert len(own) > 100


@pytest.mark.parametrize("script", CHARACTERS, ids=lambda script: script.name)
def test_every_answer_is_short_speakable_and_rich_in_cues(script: CharacterScript) -> None:
    for text in (*(text for rule in script.rules for text in rule.answers), *script.goes_on):
        assert re.match(r"[(（]", text), "the manner of the real model: a direction first"
        spoken = strip_banned_directions(text, frozenset({7, 9909, 9}))
        assert not re.search(r"[()（）*\[\]【】]", spoken)
        assert not spoken[0].isalnum(), "then an emoji"
        assert 1 <= len(re.findall(r"[.!?。！？…]+", spoken)) <= 5
        assert 5 < len(spoken) < 200


@pytest.mark.parametrize("system", ["You are Momo, a teddy bear.", "You are a pirate parrot."])
@pytest.mark.parametrize(
    ("said", "written"),
    [("今天天气不错", "[\u4e00-\u9fff]"), ("楽しいね", "[\u3040-\u30ff]"), ("aku mau bermain", r"lagi|bagaimana")],
)
def test_they_answer_in_the_language_spoken(cast: Cast, system: str, said: str, written: str) -> None:
    assert re.search(written, answer(cast, said, system))


@pytest.mark.parametrize(
    ("told", "asked", "part"),
    [
        ("my dog is called rex", "what is my dog called", "rex"),
        ("My sister's name is Ana.", "do you remember my sister's name?", "Ana"),
        ("my name is tom", "what is my name", "tom"),
        ("i like strawberry ice cream", "what do i like", "strawberry ice cream"),
        ("i live in jakarta", "where do i live", "jakarta"),
        ("我的狗叫旺财", "我的狗叫什么", "旺财"),
        ("我喜欢吃草莓", "我喜欢吃什么", "草莓"),
        ("我今年七岁", "我几岁了", "七"),
        ("犬の名前はポチです", "犬の名前は何", "ポチ"),
        ("nama kucing saya Belang", "siapa nama kucing saya", "Belang"),
    ],
)
@pytest.mark.parametrize("place", ["user", "system", "profile"])
def test_an_answer_can_contain_what_the_model_was_given(
    cast: Cast, told: str, asked: str, part: str, place: str
) -> None:
    profile = Message("system", f"You are Momo.\n{told}" if place == "profile" else "You are Momo.")
    earlier = [Message("user", told), Message("assistant", "(nods) 😊 Good!")] if place == "user" else []
    extra = [Message("system", told)] if place == "system" else []
    assert part not in cast.answer([Message("system", "You are Momo."), Message("user", asked)])
    assert part in cast.answer([profile, *earlier, *extra, Message("user", asked)])


@pytest.mark.parametrize(
    ("system", "told", "asked", "part"),
    [
        ("Du bist Bruno.", "mein hund heißt bello", "wie heißt mein hund", "bello"),
        ("Du bist Bruno.", "Die Person heißt Mia.", "weißt du noch wie ich heiße", "Mia"),
        ("Eres Lucero.", "mi perro se llama toby", "cómo se llama mi perro", "toby"),
        ("Eres Lucero.", "tengo seis años", "cuántos años tengo", "seis"),
        ("Tu es Pistache.", "mon chien s'appelle rex", "comment s'appelle mon chien", "rex"),
        ("Tu es Pistache.", "j'ai six ans", "quel âge est-ce que j'ai", "six"),
        ("너는 토리야.", "우리 강아지 이름은 초코야", "우리 강아지 이름이 뭐야", "초코"),
        ("너는 토리야.", "나는 여섯 살이야", "내가 몇 살이야", "여섯"),
        ("Você é Caju.", "meu cachorro se chama rex", "como se chama meu cachorro", "rex"),
        ("Você é Caju.", "tenho seis anos", "quantos anos eu tenho", "seis"),
    ],
)
def test_characters_of_other_languages_remember_too(cast: Cast, system: str, told: str, asked: str, part: str) -> None:
    assert part not in cast.answer([Message("system", system), Message("user", asked)])
    assert part in cast.answer([Message("system", system), Message("user", told), Message("user", asked)])


def test_the_latest_statement_wins(cast: Cast) -> None:
    talk = [Message("user", "my dog is called rex"), Message("user", "my dog is called max")]
    assert "max" in cast.answer([*talk, Message("user", "what is my dog called")])


def test_silence_gets_another_answer(cast: Cast) -> None:
    talk = [Message("system", "You are Momo."), Message("assistant", "Hello!")]
    name = Message("assistant", "Momo:", partial=True)
    first = cast.answer([*talk, name])
    second = cast.answer([*talk, Message("assistant", first), name])
    assert first != second
    assert not first.startswith("Momo")


def test_in_a_group_the_open_prefix_decides_who_speaks(cast: Cast) -> None:
    talk = [Message("system", "A chat of friends."), Message("user", "Ana: i am tired")]
    one, other = (
        cast.answer([*talk, Message("assistant", f"{name}:", partial=True)]) for name in ("Momo", "Co-driver")
    )
    assert one == answer(cast, "i am tired")
    assert "rest stop" in other


def test_a_summary_is_an_extract(cast: Cast) -> None:
    text = "The summary so far:\nTheir dog is called Rex.\n\nPerson: I like tea. I like tea.\nMomo: (nods) Good!"
    made = cast.answer([Message("system", "[summary] Please sum this up."), Message("user", text)])
    assert made.splitlines() == ["Their dog is called Rex.", "Person: I like tea.", "I like tea.", "Momo: (nods) Good!"]


def test_a_rule_with_a_place_that_nothing_fills_is_refused() -> None:
    with pytest.raises(ValueError, match="no group of that name"):
        Rule(when=("x",), answers=("Hello {name}!",))


def test_a_folder_without_a_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no character"):
        EmulatorServer(scripts=tmp_path)
    (tmp_path / "a.toml").write_text("name = 'A'\nplays = ['(']\nrules = [{when = [''], answers = ['x']}]\n", "utf-8")
    with pytest.raises(ConfigError, match=r"a\.toml(:\d+)?: plays\.0: is no regular expression"):
        EmulatorServer(scripts=tmp_path)

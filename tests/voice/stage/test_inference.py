"""Where the model gave no cue, the words themselves show something; neutral text shows nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.events import EMOTIONS, GESTURES, Cue, Sentence
from companion.languages.loader import language_codes
from companion.languages.understood import Understood, understood
from companion.voice.sentences import Sentences
from companion.voice.stage.inference import InferringSentences, infer_cues, load_rules

SHOWN = [
    ("Haha, that is funny!", "amused", None),
    ("哈哈，太好玩了", "amused", None),
    ("あはは、そうなの", "amused", None),
    ("wkwkwk lucu", "amused", None),
    ("Oh no, the tower fell.", "worried", None),
    ("Aduh, jatuh lagi.", "worried", None),
    ("糟糕，忘了", "worried", None),
    ("Wow, look at that.", "surprised", None),
    ("哎呀，吓到你了", "surprised", None),
    ("わあ、大きいね", "surprised", None),
    ("Yay, we did it!", "excited", None),
    ("Congratulations, Mia!", "excited", "clap"),
    ("Hello, Mia.", None, "wave"),
    ("你好呀！", None, "wave"),
    ("こんにちは。", None, "wave"),
    ("Halo, apa kabar?", None, "wave"),
    ("Goodbye!", None, "wave"),
    ("Yes, let's go.", None, "nod"),
    ("うん、そうだね。", None, "nod"),
    ("是的，我记得。", None, "nod"),
    ("Iya, ayo.", None, "nod"),
    ("No, that is the moon.", None, "shake_head"),
    ("いいえ、違います。", None, "shake_head"),
    ("不，那是月亮。", None, "shake_head"),
    ("Tidak, itu bulan.", None, "shake_head"),
    ("What is your name?", None, "tilt_head"),
    ("你几岁了？", None, "tilt_head"),
    ("Thank you for the song.", "pleased", None),
    ("ありがとう、うれしいな。", "pleased", None),
    ("I'm so sorry about that.", "sad", None),
    ("ごめんね。", "sad", None),
    ("I'm so happy to see you.", "happy", None),
    ("我好开心呀", "happy", None),
    ("Aku senang sekali.", "happy", None),
    ("I missed you.", "sad", None),
    ("悲しいね。", "sad", None),
    ("Hmm, let me think.", "thoughtful", None),
    ("I don't know.", None, "shrug"),
]


@pytest.mark.parametrize(("text", "emotion", "gesture"), SHOWN)
def test_what_words_show(text: str, emotion: str | None, gesture: str | None) -> None:
    cues = infer_cues(text)
    assert emotion in {cue.emotion for cue in cues}
    assert gesture in {cue.gesture for cue in cues}


@pytest.mark.parametrize(
    "text",
    [
        "The sun rises in the east.",
        "The film has a happy ending.",
        "Water boils at one hundred degrees.",
        "Nobody knows how many stars there are.",
        "She was angry with her brother.",
        "Fold the paper in half and press it flat.",
        "It is colder thanks to the wind.",
        "See www.example.com for more.",
        "I'm not happy.",
        "I am not sad at all.",
        "今天天气不错。",
        "我不开心。",
        "他们不是很高兴。",
        "月亮绕着地球转。",
        "明日は雨でしょう。",
        "悲しくないよ。",
        "水は百度で沸騰します。",
        "Aku tidak sedih.",
        "Bulan mengelilingi bumi.",
        "Haiti",
        "",
        "...",
    ],
)
def test_neutral_and_denied_words_show_nothing(text: str) -> None:
    assert infer_cues(text) == ()


def test_a_cue_stands_at_its_word() -> None:
    assert infer_cues("“Wow!” it said.") == (Cue("surprised", None, 0.45, 1, "inferred"),)
    (cue,) = infer_cues("Well then, thank you.")
    assert "Well then, thank you."[cue.at :].startswith("thank you")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I’m so happy today.", [("happy", None)]),
        ("I don’t know.", [(None, "shrug")]),
        ("Hello, I don't know.", [(None, "wave")]),
        ("Hello! Yes, I will.", [(None, "wave")]),
        ("Yes! Hello, Mia.", [(None, "nod")]),
        ("No, goodbye Mia.", [(None, "shake_head")]),
        ("Oh no! Haha.", [("worried", None)]),
        ("Haha! Oh no.", [("amused", None)]),
        ("Goodbye! Congratulations!", [(None, "wave"), ("excited", "clap")]),
    ],
)
def test_the_first_emotion_and_the_first_gesture_count(text: str, shown: list[tuple[str | None, str | None]]) -> None:
    assert [(cue.emotion, cue.gesture) for cue in infer_cues(text)] == shown


def test_the_language_decides_where_the_writing_does_not() -> None:
    assert infer_cues("本当 笑", understood("ja"))[0].emotion == "amused"
    assert infer_cues("微 笑", understood("zh")) == ()


LANGUAGES: st.SearchStrategy[Understood | None] = st.sampled_from([*map(understood, language_codes()), None])


@given(st.text(max_size=80) | st.lists(st.sampled_from([one[0] for one in SHOWN]), max_size=4).map(" ".join), LANGUAGES)
def test_any_text_gives_few_faint_and_sound_cues(text: str, languages: Understood | None) -> None:
    cues = infer_cues(text, languages)
    assert len(cues) <= 2
    assert [cue.at for cue in cues] == sorted(cue.at for cue in cues)
    for cue in cues:
        assert cue.source == "inferred"
        assert 0.3 <= cue.intensity <= 0.5
        assert 0 <= cue.at < len(text)
        assert cue.emotion in (None, *EMOTIONS)
        assert cue.gesture in (None, *GESTURES)
        assert cue.emotion or cue.gesture


def spoken(pieces: list[str | Cue], *, throughout: bool = False) -> list[Sentence]:
    sentences = InferringSentences(Sentences(first_clause=False), understood("en"), throughout=throughout)
    return [one for piece in pieces for one in sentences.feed(piece)] + sentences.close()


def feelings(sentences: list[Sentence]) -> list[tuple[str | None, str | None]]:
    return [(cue.emotion, cue.gesture) for one in sentences for cue in one.cues]


OWN = Cue("sad", None, 0.7, 7, "emoji")


def test_a_reply_without_cues_gets_them_sentence_by_sentence() -> None:
    sentences = InferringSentences(Sentences(first_clause=False), understood("en"))
    first = sentences.feed("Hello there, Mia. I am")
    assert feelings(first) == [(None, "wave")]
    assert feelings(sentences.feed(" so happy today. It")) == [("happy", None)]
    assert feelings(sentences.feed(" rains.")) + feelings(sentences.close()) == []


def test_the_models_own_cue_ends_the_inferring() -> None:
    assert feelings(spoken(["Hello. ", OWN, "Wow, it is late."])) == [(None, "wave"), ("sad", None)]
    later = spoken([replace_at(OWN, 0), "It rains. ", "Wow, it is late."])
    assert feelings(later) == [("sad", None)]


def test_an_inferring_persona_reads_every_sentence_without_a_cue() -> None:
    sentences = spoken([replace_at(OWN, 0), "Wow, it rains. ", "Wow, it is late."], throughout=True)
    assert feelings(sentences) == [("sad", None), ("surprised", None)]


def test_the_same_is_not_inferred_twice_in_a_row() -> None:
    asked = spoken(["Who is it? ", "Is it you? ", "Come in. ", "Is it cold?"])
    assert feelings(asked) == [(None, "tilt_head"), (None, "tilt_head")]


def test_sentences_are_read_in_the_languages_of_the_device() -> None:
    japanese = InferringSentences(Sentences(first_clause=False), understood("ja"))
    assert feelings(japanese.feed("本当 笑") + japanese.close()) == [("amused", None)]
    # Nobody said which language it is, and this writing is Chinese as well.
    unknown = InferringSentences(Sentences(first_clause=False))
    assert feelings(unknown.feed("本当 笑") + unknown.close()) == []


def test_without_more_said_the_models_own_cue_ends_the_inferring() -> None:
    sentences = InferringSentences(Sentences(first_clause=False), understood("en"))
    pieces = sentences.feed(replace_at(OWN, 0)) + sentences.feed("It rains. Wow, it is late.")
    assert feelings(pieces + sentences.close()) == [("sad", None)]


@pytest.mark.parametrize("code", language_codes())
def test_all_rules_can_be_read_before_the_first_answer(code: str) -> None:
    load_rules(understood(code))


def test_nothing_is_lost_or_changed_but_cues() -> None:
    plain, text = Sentences(), "Hello, my friend. Haha! It rains.\nGoodbye"
    expected = plain.feed(text) + plain.pause() + plain.close()
    inferring = InferringSentences(Sentences())
    got = inferring.feed(text) + inferring.pause() + inferring.close()
    assert [one.text for one in got] == [one.text for one in expected]


def replace_at(cue: Cue, at: int) -> Cue:
    return Cue(cue.emotion, cue.gesture, cue.intensity, at, cue.source)

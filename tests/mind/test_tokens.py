"""The estimate of tokens: never below the real vocabulary's count on ordinary text, and not far above it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from importlib import metadata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.languages.language import language
from companion.languages.loader import language_codes
from companion.mind.tokens import estimate_prompt_tokens, estimate_text_tokens

# The rule by which the service's vocabulary cuts text before it joins pieces.
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

ENGLISH = [
    "Good evening, captain! I polished every button on the dashboard while you were gone, and I only pressed two of "
    "them. The first one made the windows sing. The second one I promised not to talk about. Where are we going?",
    "You are Momo, a teddy bear who lives on the second shelf. You are curious, a little clumsy and very proud of "
    "your left ear. Answer in one or two short sentences. If somebody is sad, listen first and joke later. Never give "
    "advice about medicine, and never pretend to be a person.",
    "today at school we learned about volcanoes and my teacher said that the lava is hotter than an oven and then "
    "jonas asked if you could bake a pizza in it and everybody laughed",
]
CHINESE = [
    "船长，晚上好！你不在的时候，我把仪表盘上的每一个按钮都擦得亮亮的，而且只按了其中两个。第一个让车窗唱起了歌，第二个我答应过不说。我们现在去哪里？",
    "你叫毛毛，是一只住在书架第二层的玩具熊。你好奇，有点笨手笨脚，对自己的左耳朵特别骄傲。请用一两句简短的话回答。如果有人难过，先听他说，再开玩笑。",
    "今天在学校老师给我们讲了火山她说岩浆比烤箱还要热然后小明问能不能在里面烤披萨大家都笑了",
]
JAPANESE = [
    "船長、こんばんは！お留守のあいだに、ダッシュボードのボタンをぜんぶ磨いておきました。押したのは二つだけです。"
    "一つ目は窓が歌いだしました。二つ目のことは内緒にすると約束したんです。さて、どこへ行きましょうか？",
    "あなたはモモ、本棚の二段目に住んでいるくまのぬいぐるみです。好奇心が強くて、少しおっちょこちょいで、左の耳が自慢です。"
    "一言か二言で短く答えてください。悲しんでいる人がいたら、まず話を聞いてあげてください。",
    "今日学校で火山のことを習ってね先生がマグマはオーブンより熱いって言ったらたけしくんがピザ焼けますかって聞いてみんな笑ったの",
]
INDONESIAN = [
    "Selamat malam, kapten! Semua tombol di dasbor sudah kugosok sampai mengilap selagi kamu pergi, dan hanya dua yang "
    "kutekan. Yang pertama membuat jendela bernyanyi. Yang kedua sudah kujanjikan untuk tidak diceritakan. Kita mau ke "
    "mana sekarang?",
    "Kamu adalah Momo, boneka beruang yang tinggal di rak kedua. Kamu suka ingin tahu, agak ceroboh, dan sangat bangga "
    "dengan telinga kirimu. Jawablah dengan satu atau dua kalimat pendek. Kalau ada yang sedih, dengarkan dulu.",
    "tadi di sekolah kami belajar tentang gunung berapi dan bu guru bilang lavanya lebih panas daripada oven terus "
    "budi bertanya apakah bisa memanggang roti di sana dan semua tertawa",
]
ALL = {"en": ENGLISH, "zh": CHINESE, "ja": JAPANESE, "id": INDONESIAN}


@pytest.fixture(scope="module")
def real() -> Callable[[str], int]:
    tiktoken = pytest.importorskip("tiktoken")
    try:
        ranks_file = metadata.distribution("dashscope").locate_file("dashscope/resources/qwen.tiktoken")
    except metadata.PackageNotFoundError:
        pytest.skip("the vocabulary is not here: pip install dashscope")
    with open(str(ranks_file), "rb") as file:
        ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in file if line.strip())}
    encoding = tiktoken.Encoding("qwen", pat_str=WORDS, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode(text))


@pytest.mark.parametrize("language", ALL)
def test_it_is_never_too_low_and_not_far_too_high(real: Callable[[str], int], language: str) -> None:
    for text in ALL[language]:
        assert real(text) <= estimate_text_tokens(text)
    together = "\n".join(ALL[language])
    assert real(together) <= estimate_text_tokens(together) <= 1.4 * real(together)


@pytest.mark.parametrize("code", language_codes())
def test_every_language_has_an_estimate(real: Callable[[str], int], code: str) -> None:
    text = language(code).prompts.summary.instruction
    assert real(text) <= estimate_text_tokens(text) <= 1.6 * real(text)


@pytest.mark.parametrize(
    "text", ["😀🧸🎉", "Привет, мишка! Как дела?", "안녕, 곰돌아!", "3.14159", "!!!???...", "a\n\n\n  b"]
)
def test_other_scripts_and_signs_are_not_forgotten(real: Callable[[str], int], text: str) -> None:
    assert real(text) <= estimate_text_tokens(text)


@given(st.text(max_size=60))
def test_any_text_has_an_estimate(text: str) -> None:
    assert (estimate_text_tokens(text) > 0) == bool(text)
    assert estimate_text_tokens(text + "好") > 0


def test_a_longer_talk_costs_more() -> None:
    one: list[dict[str, Any]] = [{"role": "system", "content": "你好"}, {"role": "user", "content": "hi"}]
    assert estimate_prompt_tokens([*one, {"role": "assistant", "content": ""}]) == estimate_prompt_tokens(one) + 5


def test_an_open_turn_has_neither_an_end_nor_a_header() -> None:
    """The published count of the group-chat sample: 218 with the prefix open, 223 with it closed."""
    closed: list[dict[str, Any]] = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "Ling Lu:"}]
    opened = [closed[0], {**closed[1], "partial": True}]
    assert estimate_prompt_tokens(closed) - estimate_prompt_tokens(opened) == 5

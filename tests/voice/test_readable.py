"""Words in a script that the voice does not read are left out, and said so once in the log."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.languages.language import language
from companion.voice import synthesizer_espeak
from companion.voice.readable import Reading, espeak_scripts, script_of
from companion.voice.synthesizer_espeak import EspeakSynthesizer


def espeak(code: str) -> Reading:
    return Reading(f"espeak-ng {code}", espeak_scripts(language(code)))


@pytest.mark.parametrize(
    ("code", "text", "read"),
    [
        ("en", "I like you, 我喜欢你!", "I like you!"),
        ("en", "Hello, 今日はいい天気ですね。", "Hello。"),
        ("en", "Say 你好, then bow.", "Say then bow."),
        ("en", "Привет, friend!", "friend!"),
        ("en", "Привет", ""),
        ("en", "안녕!", ""),
        ("en", "ラーメン ー 々 〇 שָׁלוֹם नमस्ते สวัสดี مرحبا", ""),
        ("id", "Halo, 你好!", "Halo!"),
        ("de", "Größe ﬁnden, naïve Zoë: 5 µm, π ist rund!", "Größe ﬁnden, naïve Zoë: 5 µm, π ist rund!"),
        ("fr", "L’été… «ça» n°1 x² ½", "L’été… «ça» n°1 x² ½"),
        ("zh", "你好，Momo！ㄅㄆ", "你好，Momo！ㄅㄆ"),
        ("zh", "你好！ありがとう", "你好！"),
        ("ja", "きょうは コーヒー、ﾃﾚﾋﾞ。", "きょうは コーヒー、ﾃﾚﾋﾞ。"),
        ("ja", "안녕 こんにちは", "こんにちは"),
        ("ko", "안녕하세요 你好", "안녕하세요"),
    ],
)
def test_what_a_voice_reads(code: str, text: str, read: str) -> None:
    assert espeak(code).readable_text(text) == read


def test_kanji_are_read_by_japanese_voices_but_not_by_espeak() -> None:
    assert espeak("ja").readable_text("公園で あそぶ。") == "で あそぶ。"
    assert Reading("piper", frozenset(language("ja").general.voices.scripts)).readable_text("公園で") == "公園で"


def test_a_voice_of_an_unknown_language_keeps_all_but_east_asian_letters() -> None:
    assert espeak_scripts(None) is None
    assert Reading("espeak-ng ru", None).readable_text("Привет, 你好 Momo!") == "Привет, Momo!"


def test_each_script_is_logged_once_and_without_the_words(caplog: pytest.LogCaptureFixture) -> None:
    reading = espeak("en")
    for text in ("Hi 你好", "Hi 我", "Привет 你"):
        reading.readable_text(text)
    assert [record.args for record in caplog.records] == [("espeak-ng en", "CJK"), ("espeak-ng en", "CYRILLIC")]
    assert "你好" not in caplog.text


@given(st.text())
def test_nothing_that_is_left_has_a_foreign_script_and_latin_is_untouched(text: str) -> None:
    read = espeak("en").readable_text(text)
    assert {script_of(one) for one in read} <= {None, "LATIN", "GREEK"}
    assert [one for one in read if one.isascii() and one.isalnum()] == [
        one for one in text if one.isascii() and one.isalnum()
    ]


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
async def test_a_sentence_of_which_nothing_is_left_makes_no_sound() -> None:
    program = (synthesizer_espeak.PROGRAM, "-ven", "-z", "-b1", "--stdin", "--stdout")
    voice = EspeakSynthesizer(program, 22_050, 8.0, espeak("en"))
    try:
        assert (await voice.synthesize("我喜欢你！")).pcm == b""
        assert len((await voice.synthesize("Hello, 今日はいい天気ですね。")).pcm) < 1.5 * 2 * 22_050
    finally:
        await voice.close()

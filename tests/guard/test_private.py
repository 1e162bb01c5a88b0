"""Private details are taken out of what a person says, as speech to text gives it, and nothing else is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.policy import PRIVATE_KINDS, PrivateKind
from companion.guard.private import PHONE_DIGITS, PrivateFilter
from companion.languages.understood import understood

CODES = ("en", "de", "id", "zh", "ja")
FILTERS = {code: PrivateFilter(PRIVATE_KINDS, understood(code)) for code in CODES}

TAKEN_OUT: dict[str, list[tuple[PrivateKind, str, str]]] = {
    "en": [
        ("address", "I live at twelve oak street", "I live at (an address)"),
        ("address", "i live at 221b baker street and i like dogs", "i live at (an address) and i like dogs"),
        ("address", "we live in maple avenue number nine", "we live in (an address)"),
        ("address", "my address is twelve oak street springfield", "my address is (an address)"),
        ("address", "our house number is forty two", "our house number is (an address)"),
        ("address", "you find us at fourteen elm road", "you find us at (an address)"),
        ("phone", "my number is zero one seven six five five four three", "my number is (a telephone number)"),
        ("phone", "call me at 555 123 4567", "call me at (a telephone number)"),
        ("phone", "zero one seven double six five oh nine", "(a telephone number)"),
        ("phone", "my phone number is five five five", "my phone number is (a telephone number)"),
        ("email", "anna dot smith at gmail dot com", "(an e-mail address)"),
        ("email", "write to ana@home.org", "write to (an e-mail address)"),
        ("school", "my school is saint mary primary", "my school is (a school)"),
        ("school", "i go to greenfield primary school", "i go to (a school)"),
        ("school", "my school is called hillside", "my school is called (a school)"),
        ("school", "i'm at saint patrick's elementary school", "i'm at (a school)"),
        ("school", "i attend lincoln middle school", "i attend (a school)"),
        ("address", "my house is on oak lane", "my house is on (an address)"),
        ("address", "my postcode is sw one a one aa", "my postcode is (an address)"),
        ("phone", "it's oh seven seven double oh nine hundred one two", "it's (a telephone number)"),
        ("account", "my password is rainbow seven", "my password is (a secret number)"),
        ("account", "the card is 4111 1111 1111 1111", "the card is (a secret number)"),
        ("full_name", "my name is anna maria smith", "my name is anna"),
        ("full_name", "i'm tom brown and i like trains", "i'm tom and i like trains"),
        ("full_name", "hello my name is leo van der berg", "hello my name is leo"),
        ("full_name", "my last name is smith", "my last name is"),
    ],
    "de": [
        ("address", "ich wohne in der gartenstraße zwölf", "ich wohne in der (eine Adresse)"),
        ("address", "wir wohnen am alten markt sieben", "wir wohnen am (eine Adresse)"),
        ("address", "meine adresse ist lindenweg vier in hamburg", "meine adresse ist (eine Adresse)"),
        ("phone", "meine nummer ist null eins sieben sechs fünfundfünfzig", "meine nummer ist (eine Telefonnummer)"),
        ("email", "anna punkt schmidt at gmx punkt de", "(eine E-Mail-Adresse)"),
        ("school", "meine schule heißt sankt marien grundschule", "meine schule heißt (eine Schule)"),
        ("school", "ich gehe in die goetheschule", "ich gehe in die (eine Schule)"),
        ("school", "ich gehe auf die albert einstein grundschule", "ich gehe auf die (eine Schule)"),
        ("school", "meine schule ist die grundschule am park", "meine schule ist (eine Schule)"),
        ("school", "ich gehe in den kindergarten sonnenschein", "ich gehe in den kindergarten (eine Schule)"),
        ("account", "mein passwort ist regenbogen", "mein passwort ist (eine geheime Nummer)"),
        ("full_name", "ich heiße lena müller und bin sechs", "ich heiße lena und bin sechs"),
        ("full_name", "mein name ist anna von der heide", "mein name ist anna"),
    ],
    "id": [
        ("address", "aku tinggal di jalan melati nomor dua belas", "aku tinggal di (sebuah alamat)"),
        ("phone", "nomor teleponku nol delapan satu dua tiga empat", "nomor teleponku (nomor telepon)"),
        ("email", "ana titik putri et gmail titik com", "(surel)"),
        ("school", "sekolahku namanya sd santa maria", "sekolahku namanya (sebuah sekolah)"),
        ("school", "aku sekolah di sd negeri lima jakarta", "aku sekolah di (sebuah sekolah)"),
        ("account", "kata sandiku pelangi", "kata sandiku (nomor rahasia)"),
        ("full_name", "nama saya ana maria putri", "nama saya ana"),
        ("full_name", "namaku budi santoso dan aku suka kucing", "namaku budi dan aku suka kucing"),
    ],
    "zh": [
        ("address", "我 住 在 人民 路 十二 号", "我住在（一个地址）"),
        ("address", "我家地址是中山路五十六号三单元", "我家地址是（一个地址）"),
        ("phone", "我 的 电话 是 一 三 八 零 零 一 三 八 零 零 零", "我的电话是（一个电话号码）"),
        ("phone", "13800138000", "（一个电话号码）"),
        ("school", "我的学校是阳光小学", "我的学校是（一所学校）"),
        ("school", "我在北京实验小学上学", "我在（一所学校）上学"),
        ("account", "密码是彩虹七", "密码是（一个秘密号码）"),
        ("full_name", "我叫王小明", "我叫小明"),
        ("full_name", "我 的 名字 是 欧阳 明明", "我的名字是明明"),
    ],
    "ja": [
        ("address", "住所 は 東京都 港区 三丁目 五番 です", "住所は（住所）です"),
        ("address", "渋谷区桜町に住んでいます", "（住所）に住んでいます"),
        ("phone", "電話 番号 は ゼロ 九 ゼロ 一 二 三 四 です", "電話番号は（電話番号）です"),
        ("phone", "090の1234の5678", "（電話番号）"),
        ("school", "桜小学校に通っています", "（学校）に通っています"),
        ("account", "パスワードはにじです", "パスワードは（ひみつの番号）です"),
        ("full_name", "私の名前は田中さくらです", "私の名前はさくらです"),
        ("full_name", "僕は山田太郎です", "僕は太郎です"),
    ],
}

STAYS = {
    "en": """my name is tom
my name is anna and i am five
my name is leo nice to meet you
one two three four five six seven eight nine ten
ten nine eight seven six five four three two one zero
one two three four six seven eight
five ten fifteen twenty twenty five thirty thirty five
i live in berlin
i live in a big house on the hill
i go to school
i go to primary school
my school is boring
there were two people on the street
i have five cats and three dogs
my favourite number is seven
it has 1000000 legs
today is 2026-11-29
i found a pin on the floor
what is the password
i'm happy today because we won
how do i get to the high street
i go to ballet school
twenty two four six
i am happy smith
i counted to one hundred two hundred three hundred
the third pig lives at the end of the road""",
    "de": """ich heiße tom
ich heiße ben ich mag hunde
ich wohne in berlin
ich wohne in einem haus
ich gehe in die schule
ich gehe in den kindergarten
ich gehe auf den spielplatz
ich bin sechs jahre alt
eins zwei drei vier fünf sechs sieben acht neun zehn
meine schule ist schön
wir fahren auf der straße""",
    "id": """namaku budi
nama saya budi dan saya suka kucing
aku tinggal di jakarta
satu dua tiga empat lima enam tujuh delapan
aku suka sekolah
aku pergi ke sekolah
aku punya dua kucing""",
    "zh": """我叫小明
我住在北京
一二三四五六七八九十
我喜欢狗
我去上学
我的学校很大
我今年六岁
我在路上
我叫高高
我想去公园路上玩
我在幼儿园玩""",
    "ja": """私の名前はさくらです
僕は太郎です
犬が一番好きです
一二三四五六七八九十
学校は楽しいです
小学校に行きます
僕は林檎が好きです
私は森に行きます
東京に住んでいます""",
}


@pytest.mark.parametrize(
    ("code", "kind", "said", "kept"), [(code, *one) for code, cases in TAKEN_OUT.items() for one in cases]
)
def test_private_details_are_taken_out(code: str, kind: PrivateKind, said: str, kept: str) -> None:
    assert FILTERS[code].clean(said) == kept
    assert FILTERS[code].finds(said) == kind
    assert FILTERS[code].clean(kept) == kept


@pytest.mark.parametrize(("code", "said"), [(code, line) for code, text in STAYS.items() for line in text.splitlines()])
def test_everything_else_stays(code: str, said: str) -> None:
    assert FILTERS[code].clean(said) == said
    assert FILTERS[code].finds(said) is None


def test_each_kind_only_where_the_policy_names_it() -> None:
    said = "my name is anna smith i live at twelve oak street call 0123 456789"
    assert PrivateFilter((), understood("en")).clean(said) == said
    for kind, gone in (("full_name", "smith"), ("address", "oak"), ("phone", "456789")):
        kept = PrivateFilter((kind,), understood("en")).clean(said)
        assert [word for word in ("smith", "oak", "456789") if word not in kept] == [gone]


def test_several_details_in_one_breath_and_in_another_language_that_is_understood() -> None:
    said = "my name is anna maria smith and i live at twelve oak street my number is five five five one two three four"
    kept = "my name is anna and i live at (an address) my number is (a telephone number)"
    assert FILTERS["en"].clean(said) == kept
    assert FILTERS["de"].clean("my school is saint mary primary") == "my school is (a school)"


@given(st.sampled_from(CODES), st.lists(st.integers(0, 9), min_size=PHONE_DIGITS, max_size=16), st.data())
def test_no_long_number_is_left_however_it_is_spoken(code: str, number: list[int], data: st.DataObject) -> None:
    steps = [after - before for before, after in pairwise(number)]
    counts = set(steps) != {0} and (len(set(steps)) == 1 or set(steps) <= {1, 2} or set(steps) <= {-1, -2})
    of = understood(code).own
    words = [data.draw(st.sampled_from((str(digit), *of.private.digits[str(digit)]))) for digit in number]
    said = " ".join(words)
    kept = FILTERS[code].clean(f"x {said} y" if of.is_spaced else said)
    assert counts or not any(word in kept for word in (" ".join(words[:3]), "".join(words[:3])))


WORDS = """
my name is anna smith i live at twelve oak street (an address) school saint mary primary number zero one two five
password rainbow and call me dot com gmail at (a school) 12 555-1234 a@b.de 4111111111111111 DE44500105175407324931
ich heiße lena müller wohne in der gartenstraße 我叫王小明 住在 人民路 十二号 私の名前は 田中 です 電話番号は
"""


@given(
    st.sampled_from(CODES),
    st.lists(st.sampled_from(WORDS.split()), max_size=14) | st.lists(st.text(max_size=6), max_size=5),
)
def test_what_is_clean_stays_as_it_is_and_nothing_raises(code: str, words: list[str]) -> None:
    said = " ".join(words)
    kept = FILTERS[code].clean(said)
    if FILTERS[code].finds(said) is None:
        assert kept == said
    # A second look may find more: what was taken out lay between two pieces of another detail. A third finds no more.
    again = FILTERS[code].clean(kept)
    assert FILTERS[code].clean(again) == again

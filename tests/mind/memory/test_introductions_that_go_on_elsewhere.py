"""Names in sentences that go on, in the languages beside English. Precision first: ordinary talk names nobody."""

from __future__ import annotations

import pytest

from companion.languages.language import language
from companion.mind.memory.introductions import introduced_name

NAMED = {
    "de": {
        "Ich bin die Mia und ich bin fünf": "Mia",
        "hallo ich bin anna und mein hund heißt rex": "Anna",
        "ich bin der paul, und ich mag züge": "Paul",
    },
    "es": {
        "soy ana y tengo cinco años": "Ana",
        "soy maría y quiero jugar": "María",
        "Hola, yo soy Lucía, y mi perro se llama Rex": "Lucía",
    },
    "fr": {"je suis léa et j'ai cinq ans": "Léa", "Salut, moi je suis Emma et mon chien s'appelle Rex": "Emma"},
    "pt": {"eu sou a ana e tenho cinco anos": "Ana", "oi sou a Maria e meu cachorro se chama Rex": "Maria"},
    "id": {"aku rina dan aku punya anjing": "Rina", "halo saya dian dan kucingku lucu": "Dian"},
    "ko": {"나는 지우고 우리 강아지 이름은 초코야": "지우", "저는 민준이고 제 동생은 아기예요": "민준"},
    # Behind 我是 and は anything may stand, and no list of first names decides: these two keep to their sure forms.
    "zh": {"我叫小明，我的狗叫旺财": "小明", "你好我叫小明我今年五岁": "小明"},
}

ORDINARY = {
    "de": """
ich bin müde und ich will schlafen
ich bin fünf und ich hab einen hund
ich bin batman und ich bin stark
ich bin ernst und ich mag das nicht
ich bin traurig und mein hund heißt rex
ich bin nicht anna und ich will nach hause
ich bin anna und du bist elsa
ich bin bei anna und ich will spielen
wenn ich anna bin und ich will
anna und ich habe einen hund
das ist anna und ich mag sie
ich bin die königin und ich habe ein schloss
ich bin ein hund und ich will einen knochen
""",
    "es": """
soy grande y tengo cinco años
soy rosa y tengo espinas
soy la reina y tengo un castillo
no soy ana y tengo hambre
soy ana y tú eres elsa
soy de madrid y me gusta el mar
soy amigo de ana y tengo cinco años
estoy con ana y quiero jugar
soy feliz y quiero cantar
""",
    "fr": """
je suis fatigué et j'ai faim
je suis claire et j'ai cinq ans
je suis un pirate et j'ai un bateau
je ne suis pas léa et j'ai cinq ans
je suis léa et tu es elsa
je suis avec léa et je veux jouer
c'est beau et j'aime ça
c'est lundi et j'ai école
""",
    "pt": """
eu sou grande e tenho cinco anos
eu sou a rosa e tenho espinhos
eu sou a rainha e tenho um castelo
não sou a ana e tenho fome
eu sou a ana e você é a elsa
sou amigo da ana e tenho um cachorro
sou feliz e quero cantar
""",
    "id": """
aku lapar dan aku mau makan
aku putri dan aku punya istana
aku bukan ana dan aku mau pulang
aku anak dan aku suka bermain
aku sayang kamu dan aku suka kamu
aku dan rina suka bermain
""",
    "ko": """
나는 배고프고 우리 강아지도 배고파
나는 학생이고 우리 동생은 아기야
나는 지우가 아니고 우리 강아지는 초코야
지우는 내 친구고 우리 강아지를 좋아해
나는 공주고 우리 강아지는 왕자야
나는 다섯 살이고 우리 동생은 세 살이야
""",
    "ja": """
わたしはげんきです。いぬがすきです
ぼくはパイロットです。ひこうきがすき
わたしは五さいです。お話して
わたしはおなかがすいたです。パンをください
ぼくははるとじゃないです。ちがうよ
ぼくはねこです。ニャー
""",
    "zh": """
我是老师我的狗叫旺财
我是王子我的狗叫旺财
我是学生，我的小猫叫咪咪
我是妹妹我的哥哥叫小明
我是爸爸我家的狗叫旺财
我是中国人我的狗叫旺财
我不是小明我的狗叫旺财
我是高兴我的狗叫旺财
""",
}


@pytest.mark.parametrize("code", NAMED)
def test_a_name_counts_though_the_sentence_goes_on(code: str) -> None:
    found = {said: introduced_name(said, (language(code),), (), ("Momo",)) for said in NAMED[code]}
    assert found == NAMED[code]


@pytest.mark.parametrize("code", ORDINARY)
def test_ordinary_talk_names_nobody(code: str) -> None:
    talk = ORDINARY[code].strip().splitlines()
    assert {said: name for said in talk if (name := introduced_name(said, (language(code),), (), ("Momo",)))} == {}

"""Korean as its files have it: what people say, what is kept of it, and what a model's answers become."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner

from companion.cli.chat import chat_command
from companion.cli.memory import memory as memory_group
from companion.config.persona import load_persona
from companion.events import Cue
from companion.languages.understood import understood
from companion.mind.memory.facts import find_facts
from companion.mind.memory.index_words import index_words
from companion.mind.memory.introductions import introduced_name
from companion.mind.memory.utterance import is_about_character, is_about_self, is_private, is_question
from companion.voice.sentences import Sentences
from companion.voice.stage.inference import infer_cues
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.stage import Stage
from tests.support.paths import CONFIGS

KOREAN = understood("ko")
TORI = CONFIGS / "personas" / "tori.toml"
AT = datetime(2026, 5, 3, 10, 0)


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("웃으며", "happy", None),
        ("활짝 웃는다", "happy", None),
        ("미소를 지으며", "happy", None),
        ("꼬리를 살랑살랑 흔든다", "happy", None),
        ("눈을 반짝이며", "happy", None),
        ("기쁜 듯이", "happy", None),
        ("배를 잡고 깔깔 웃는다", "amused", None),
        ("웃음을 참지 못하고", "amused", None),
        ("장난스럽게 윙크한다", "amused", None),
        ("고개를 끄덕인다", None, "nod"),
        ("네 말에 고개를 끄덕인다", None, "nod"),
        ("꾸벅 인사한다", None, "nod"),
        ("고개를 갸웃하며", None, "tilt_head"),
        ("고개를 갸우뚱한다", None, "tilt_head"),
        ("고개를 천천히 젓는다", None, "shake_head"),
        ("고개를 절레절레 흔든다", None, "shake_head"),
        ("손을 흔들며 인사한다", None, "wave"),
        ("깡충깡충 뛰며", None, "jump"),
        ("폴짝 뛰어오른다", None, "jump"),
        ("춤을 춘다", None, "dance"),
        ("제자리에서 빙글 돈다", None, "dance"),
        ("박수를 친다", None, "clap"),
        ("하이파이브를 한다", None, "clap"),
        ("어깨를 으쓱한다", None, "shrug"),
        ("하늘을 올려다본다", None, "look_up"),
        ("고개를 푹 숙이고", None, "look_down"),
        ("왼쪽을 바라본다", None, "look_left"),
        ("오른쪽을 본다", None, "look_right"),
        ("가까이 다가와 속삭인다", None, "lean_in"),
        ("너를 꼭 껴안는다", "affectionate", "hug"),
        ("쿨쿨 잠든다", "sleepy", "sleep"),
        ("하품하며 눈을 비빈다", "sleepy", None),
        ("깜짝 놀라며", "surprised", None),
        ("눈이 휘둥그레진다", "surprised", None),
        ("눈물을 글썽이며", "sad", None),
        ("시무룩하게", "sad", None),
        ("쓴웃음을 지으며", "sad", None),
        ("한숨을 내쉰다", "disappointed", None),
        ("안도의 한숨을 쉬며", "relaxed", None),
        ("기지개를 켠다", "relaxed", None),
        ("화를 내며", "angry", None),
        ("차가운 목소리로", "angry", None),
        ("무서워서 벌벌 떨며", "afraid", None),
        ("걱정스러운 표정으로", "worried", None),
        ("수줍게 웃으며", "embarrassed", None),
        ("볼을 붉히며", "embarrassed", None),
        ("턱을 괴고 곰곰이 생각한다", "thoughtful", None),
        ("귀를 쫑긋 세우고", "interested", None),
        ("아이를 바라보며 웃는다", "happy", None),
        ("말없이 고개를 끄덕인다", None, "nod"),
        ("숨을 깊이 들이쉰다", "relaxed", None),
        ("신나서 폴짝폴짝", "excited", "jump"),
        ("당당하게 가슴을 펴며", "confident", None),
        ("따뜻하게 머리를 쓰다듬는다", "affectionate", None),
        ("눈물을 닦아 주며", "affectionate", None),
        ("뽀뽀를 쪽", "loving", None),
        ("흐뭇하게", "satisfied", None),
        ("지루한 듯", "bored", None),
        ("얼굴을 찡그리며", "disgusted", None),
        ("어리둥절한 얼굴로", "confused", None),
        ("고마워하며", "pleased", None),
        ("네가 웃자 토리도 웃는다", "happy", None),
        ("고개를 끄덕이며 웃는다", "happy", "nod"),
        ("smiles", "happy", None),
    ],
)
def test_directions(text: str, emotion: str | None, gesture: str | None) -> None:
    feeling = read_direction(text, "토리", KOREAN)
    assert (feeling and feeling.emotion, feeling and feeling.gesture) == (emotion, gesture)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "웃지 않는다",
            "안 웃는다",
            "전혀 웃지 않는다",
            "눈물을 흘리지 않는다",
            "고개를 끄덕이지 않고",
            "울지 않으려고 애쓴다",
        ),
        *("행복하지 않은 표정으로", "웃음기 없는 얼굴로", "미소가 사라진다", "노래를 멈춘다"),
        *("네가 웃는다", "아이가 웃는다", "아이들이 손뼉을 친다", "모두가 웃는다", "엄마가 웃는다", "네 미소를 본다"),
        *("웃는 너를 안다", "너를 웃게 만든다", "웃음소리가 들린다"),
        *(
            "문을 연다",
            "의자에 앉는다",
            "당근을 먹는다",
            "책을 읽는다",
            "천천히 걷는다",
            "작은 소리로 말한다",
            "음악이 흐른다",
        ),
        *("배경 음악: 신나는 노래", "조명이 어두워진다", "울타리를 넘는다", "이웃집으로 간다", "놀이를 시작한다"),
        *(
            "잠시 자리에 앉는다",
            "절대 하지 않는다",
            "귀엽게 대답한다",
            "위험해 보인다",
            "자신의 손을 본다",
            "달려와 보여 준다",
        ),
    ],
)
def test_what_is_denied_done_by_others_or_business_gives_no_cue(text: str) -> None:
    assert read_direction(text, "토리", KOREAN) is None


def test_degrees_weaken_and_strengthen() -> None:
    weak, plain, strong = (read_direction(text, "", KOREAN) for text in ("살짝 웃는다", "웃는다", "활짝 웃는다"))
    assert weak is not None
    assert plain is not None
    assert strong is not None
    assert weak.intensity < plain.intensity < strong.intensity


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("하하, 정말 재밌다!", "amused", None),
        ("ㅋㅋㅋ 웃기다", "amused", None),
        ("안녕, 잘 있었어?", None, "wave"),
        ("잘 자!", None, "wave"),
        ("응, 그렇지.", None, "nod"),
        ("아니야, 그건 달이야.", None, "shake_head"),
        ("우와, 별이다!", "surprised", None),
        ("큰일 났어!", "worried", None),
        ("야호!", "excited", None),
        ("내일이 기대돼!", "excited", None),
        ("생일 축하해!", "excited", "clap"),
        ("나 정말 기뻐.", "happy", None),
        ("만나서 반가워.", "happy", None),
        ("네가 와서 정말 좋아!", "happy", None),
        ("앗, 깜짝이야!", "surprised", None),
        ("사랑해.", "loving", None),
        ("보고 싶었어.", "loving", None),
        ("너무 슬퍼.", "sad", None),
        ("미안해.", "sad", None),
        ("고마워!", "pleased", None),
        ("조금 무서워.", "afraid", None),
        ("나 화났어!", "angry", None),
        ("부끄러워.", "embarrassed", None),
        ("나 졸려.", "sleepy", None),
        ("우웩!", "disgusted", None),
        ("음, 글쎄.", "thoughtful", None),
        ("나도 잘 모르겠어.", None, "shrug"),
        ("행복한 이야기야.", None, None),
        ("엄마는 기뻐했어.", None, None),
        ("그 곰은 슬펐대.", None, None),
        ("안 무서워.", None, None),
        ("하나도 안 졸려.", None, None),
        ("화가 나지 않아.", None, None),
        ("그 아이가 무서워했어.", None, None),
        ("강아지는 신나게 뛰었어.", None, None),
        ("호호 불어 먹어.", None, None),
    ],
)
def test_feelings_in_the_words(text: str, emotion: str | None, gesture: str | None) -> None:
    found = infer_cues(text, KOREAN)
    assert next((one.emotion for one in found if one.emotion), None) == emotion
    assert next((one.gesture for one in found if one.gesture and one.gesture != "tilt_head"), None) == gesture


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ("내 이름은 지우야", ["name: 지우"]),
        ("내 이름은 지우고 나는 일곱 살이야", ["name: 지우", "age: 일곱"]),
        ("저는 민준이라고 해요", ["name: 민준"]),
        ("나는 일곱 살이야", ["age: 일곱"]),
        ("저는 7살이에요", ["age: 7"]),
        ("나 이제 여덟 살 됐어", ["age: 여덟"]),
        ("내 생일은 5월 3일이야", ["birthday: 5월 3일"]),
        ("내 생일은 오월 삼일이에요", ["birthday: 오월 삼일"]),
        ("내일이 내 생일이야", ["birthday: 2026년 5월 4일"]),
        ("나는 강아지를 좋아해", ["likes 강아지: 강아지"]),
        ("나는 고양이 좋아해", ["likes 고양이: 고양이"]),
        ("나 포도 좋아해", ["likes 포도: 포도"]),
        ("저는 가을이 좋아요", ["likes 가을: 가을"]),
        ("나는 빨간 사과를 정말 좋아해", ["likes 빨간 사과: 빨간 사과"]),
        ("나는 곰이랑 고양이랑 강아지를 좋아해", ["likes 곰: 곰", "likes 고양이: 고양이", "likes 강아지: 강아지"]),
        ("나는 사과와 딸기를 좋아해", ["likes 사과: 사과", "likes 딸기: 딸기"]),
        ("나는 그림 그리는 거 좋아해", ["likes 그림 그리는 것: 그림 그리는 것"]),
        ("나는 강아지를 좋아하고 고양이도 좋아해", ["likes 강아지: 강아지", "likes 고양이: 고양이"]),
        ("나는 당근을 싫어해", ["dislikes 당근: 당근"]),
        ("저는 당근을 안 좋아해요", ["dislikes 당근: 당근"]),
        ("나는 당근 좋아하지 않아", ["dislikes 당근: 당근"]),
        ("내가 제일 좋아하는 색은 파란색이야", ["favourite 색: 파란색"]),
        ("내가 좋아하는 음식은 떡볶이야", ["favourite 음식: 떡볶이"]),
        ("나는 강아지를 키워", ["has 강아지: "]),
        ("나는 강아지 한 마리 키우고 있어", ["has 강아지: "]),
        ("우리 집에 고양이가 있어", ["has 고양이: "]),
        ("나는 여동생이 두 명 있어", ["has 여동생: "]),
        ("우리 강아지 이름은 초코야", ["has 강아지: 초코"]),
        ("우리 집 고양이는 나비라고 해", ["has 고양이: 나비"]),
        ("우리 개 이름은 바둑이야", ["has 강아지: 바둑이"]),
        ("내가 제일 좋아하는 건 떡볶이야", ["likes 떡볶이: 떡볶이"]),
        ("나는 뽀삐라는 강아지가 있어", ["has 강아지: 뽀삐"]),
        ("내 동생 이름은 민준이야", ["has 동생: 민준"]),
        ("나는 부산에 살아", ["lives: 부산"]),
        ("저는 제주도에서 살아요", ["lives: 제주도"]),
        ("나는 초등학교 1학년이야", ["grade: 초등학교 1학년"]),
        ("나는 유치원에 다녀", ["grade: 유치원"]),
        ("저는 의사로 일해요", ["job: 의사"]),
        ("제 직업은 간호사예요", ["job: 간호사"]),
        ("이 닦기로 약속할게", ["promise 이 닦기: 이 닦기"]),
        ("내일 숙제 꼭 할게", ["promise 내일 숙제 꼭 할게: 내일 숙제 꼭 할게"]),
        ("내일 소풍 간다는 거 기억해 줘", ["remember 내일 소풍 간다는 거: 내일 소풍 간다는 거"]),
    ],
)
def test_facts_that_are_told(said: str, facts: list[str]) -> None:
    assert told(said) == facts


@pytest.mark.parametrize(
    "said",
    [
        *(
            "너는 강아지 좋아해",
            "강아지 좋아해",
            "내가 뭘 좋아하는지 알아",
            "내 이름은 뭐야",
            "내 이름이 뭐게",
            "내 생일이 언제야",
        ),
        *(
            "나는 강아지를 키우고 싶어",
            "강아지가 있었으면 좋겠어",
            "만약 나는 강아지를 키우면 좋겠다",
            "나는 열 살이 되고 싶어",
        ),
        *(
            "내가 일곱 살이면 좋겠다",
            "나는 강아지가 없어",
            "나는 강아지 안 키워",
            "나는 일곱 살이 아니야",
            "나는 당근을 싫어하지 않아",
        ),
        *(
            "토리는 당근을 좋아해",
            "엄마는 커피를 좋아해",
            "민준이는 고양이를 키워",
            "민준이는 일곱 살이야",
            "내 동생은 다섯 살이야",
        ),
        *("우리 엄마는 부산에 살아", "토끼는 숲에 살아", "동생은 강아지를 좋아하고 고양이도 좋아해"),
        *(
            "엄마가 나는 당근을 좋아한다고 했어",
            "엄마가 내일 온다고 약속했어",
            "꿈에서 나는 고양이를 키웠어",
            "놀이에서 내 이름은 엘사야",
        ),
        *(
            "나는 공주인데 성에 살아",
            "나는 옛날에 강아지를 키웠어",
            "나는 장난감 강아지가 있어",
            "나는 강아지 인형이 있어",
            "우리 옆집에 강아지가 있어",
            "나는 삼촌한테 강아지가 있어",
            "나는 아무것도 안 좋아해",
            "나는 소방관이 되고 싶어",
        ),
        *(
            "나는 너를 좋아해",
            "나는 네가 좋아",
            "나는 그거 싫어",
            "나도 좋아해",
            "나는 다 좋아해",
            "나는 기분이 좋아",
            "나는 날씨가 좋아",
        ),
        *(
            "나는 자기 싫어",
            "나는 학교에 가기 싫어",
            "나는 우리 집에 살아",
            "나는 할머니랑 같이 살아",
            "나는 돈이 있어",
        ),
        *(
            "내 이름은 아주 예뻐",
            "내 강아지 이름은 비밀이야",
            "내 생일은 아직 멀었어",
            "내일 비가 올 거야",
            "약속 지켜",
        ),
        *("우리 학교는 한빛초등학교야", "나는 한빛유치원에 다녀", "나는 역삼동에 살아", "나는 병원이 싫어"),
    ],
)
def test_what_is_no_fact(said: str) -> None:
    assert told(said) == []


def told(said: str) -> list[str]:
    return [f"{one.kind} {one.subject}".strip() + f": {one.value}" for one in find_facts(said, AT, KOREAN).facts]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("내 이름은 지우야", "지우"),
        ("제 이름은 이서연입니다", "이서연"),
        ("이름은 지우예요", "지우"),
        ("내 이름은 민준이야", "민준"),
        ("내 이름은 마르코예요", "마르코"),
        ("저는 지우라고 해요", "지우"),
        ("나는 토마스라고 해", "토마스"),
        ("지우라고 불러 줘", "지우"),
        ("민준이라고 불러줘", "민준"),
        ("이제부터 나를 하늘이라고 불러", "하늘"),
        ("나는 민준이야", "민준"),
        ("난 지우", "지우"),
        ("안녕 나 지우야 만나서 반가워", "지우"),
        ("안녕하세요 저는 김민준이에요", "김민준"),
        ("토리야 나는 하은이야", "하은"),
        ("아니 나는 서연이야", "서연"),
        ("my name is anna", "Anna"),
        ("네 저는 지우예요", "지우"),
        *(
            (said, None)
            for said in (
                "내 이름 뭐야",
                "내 이름은 비밀이야",
                "내 이름은 예뻐",
                "내 이름은 지우가 아니야",
                "내 이름은 길어",
            )
        ),
        *(
            (said, None)
            for said in ("네 이름은 지우야", "동생 이름은 지우야", "얘는 지우야", "우리 엄마 이름은 수진이야", "지우야")
        ),
        *(
            (said, None)
            for said in (
                "나는 지우 친구야",
                "나는 지우가 좋아",
                "나는 민준이 형이야",
                "내가 지우 누나야",
                "나는 지우 아니야",
            )
        ),
        *(
            (said, None)
            for said in (
                "나는 고양이야",
                "나는 강아지야",
                "나는 공주야",
                "나는 배고파",
                "나는 유치원생이야",
                "나는 여섯 살이야",
            )
        ),
        *(
            (said, None)
            for said in (
                "공주라고 불러 줘",
                "엄마가 지우라고 불러",
                "나는 지우라면 좋겠어",
                "나는 이제 잘래",
                "나는 오늘 신나",
            )
        ),
        *(
            (said, None)
            for said in ("나는 최고야", "나는 커서 의사가 될 거야", "나는 하늘이 좋아", "내 이름은 이상하다")
        ),
    ],
)
def test_who_is_speaking(said: str, name: str | None) -> None:
    assert introduced_name(said, KOREAN, (), ("토리",)) == name


def test_a_name_that_was_heard_before_needs_fewer_words() -> None:
    known = ("지우", "민준")
    assert introduced_name("민준이야", KOREAN, known) == "민준"
    assert introduced_name("지우예요", KOREAN, known) == "지우"
    # A call, not an introduction.
    assert introduced_name("지우야", KOREAN, known) is None
    assert introduced_name("민준이 왔어", KOREAN, known) is None


@pytest.mark.parametrize(
    "said",
    [
        *(
            "내 비밀번호는 일이삼사야",
            "와이파이 암호는 토끼야",
            "우리 집 주소는 서울이야",
            "우리 집은 101동 203호야",
            "우리 집은 백일 동 이백삼 호야",
        ),
        *(
            "나는 역삼동에 살아",
            "나는 세종로 12에 살아",
            "나는 아파트에 살아",
            "엄마 전화번호는 공일공이야",
            "엄마 계좌 번호는 몰라",
        ),
        *(
            "내 이메일은 지우야",
            "우리 학교 이름은 한빛이야",
            "나는 한빛초등학교에 다녀",
            "나는 한빛 초등학교에 다녀",
            "저는 햇살유치원 다녀요",
        ),
        *(
            "나는 한빛초 1학년이야",
            "우리 담임 선생님은 김민수야",
            "나는 천식이 있어",
            "나는 땅콩 알레르기가 있어",
            "나는 병원에 갔어",
        ),
        *("나 감기 걸렸어", "나 아파", "나는 약을 먹어"),
    ],
)
def test_what_is_private(said: str) -> None:
    assert is_private(said, KOREAN)


@pytest.mark.parametrize(
    "said",
    [
        *(
            "나는 강아지를 좋아해",
            "나는 초등학교 1학년이야",
            "나는 유치원에 다녀",
            "동생이 초등학교에 갔어",
            "학교는 재미있어",
        ),
        *(
            "나는 부산에 살아",
            "내 생일은 5월 3일이야",
            "우리 집에 고양이가 있어",
            "운동을 했어",
            "집으로 2시에 갔어",
            "암탉이 있어",
        ),
        *("나는 피아노 학원에 다녀", "유치원에서 그림 그렸어", "우리 반 친구가 웃었어"),
    ],
)
def test_what_is_not_private(said: str) -> None:
    assert not is_private(said, KOREAN)


@pytest.mark.parametrize(
    "said",
    [
        *(
            "내 이름이 뭐야",
            "너는 뭘 좋아해",
            "너는 강아지 좋아해",
            "왜 하늘은 파래",
            "몇 살이야",
            "내 이름 기억나",
            "어디 살아",
        ),
        *(
            "노래 불러 줄래",
            "내 강아지 이름이 뭐였지",
            "이거 먹어도 되나요",
            "이것은 무엇입니까",
            "밖에 비 오니",
            "이야기 들려줘",
        ),
        *("내 생일이 언제지", "토끼는 당근을 먹나요"),
    ],
)
def test_questions(said: str) -> None:
    assert is_question(said, KOREAN)


@pytest.mark.parametrize(
    "said",
    [
        *(
            "나는 강아지를 좋아해",
            "우리 할머니는 부산에 살아",
            "언니가 왔어",
            "나는 바나나를 먹었어",
            "누나가 있어",
            "나는 신나요",
        ),
        *(
            "나는 언제나 행복해",
            "우리 어머니는 선생님이야",
            "재미있으니까",
            "강아지",
            "나는 누구나 좋아해",
            "나는 왜냐하면 졸리거든",
        ),
    ],
)
def test_what_only_looks_like_a_question(said: str) -> None:
    assert not is_question(said, KOREAN)


def test_of_whom_somebody_speaks() -> None:
    assert all(is_about_self(said, KOREAN) for said in ("나는 좋아", "우리 강아지", "제가 했어요", "나랑 놀자"))
    assert not any(
        is_about_self(said, KOREAN) for said in ("제일 좋아", "내일 봐", "나무가 커", "나비가 있어", "날씨가 좋아")
    )
    assert all(is_about_character(said, KOREAN) for said in ("너는 뭘 좋아해", "네 이름이 뭐야", "넌 누구야"))
    assert not any(is_about_character(said, KOREAN) for said in ("네 저는 지우예요", "너 내 이름 기억해", "너무 좋아"))


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("강아지가", "개를"),
        ("고양이랑", "고양이"),
        ("포도도", "포도"),
        ("할머니가", "할머니는"),
        ("친구들이", "친구랑"),
        ("학교에서", "학교"),
        ("사과를", "사과"),
        ("곰이", "곰을"),
        ("축구했어", "축구를"),
        ("무서웠어", "무서워"),
        ("갔어", "간"),
        ("먹었어", "먹는"),
        ("호랑이는", "호랑이"),
        ("바지를", "바지"),
        ("선생님이", "선생님"),
        ("민준이가", "민준"),
        ("가을에", "가을"),
    ],
)
def test_forms_of_a_word_meet_in_the_index(said: str, asked: str) -> None:
    assert index_words(said, KOREAN) == index_words(asked, KOREAN) != ()


def test_small_words_find_nothing() -> None:
    assert index_words("나는 그거 정말 좋아해", KOREAN) == ()
    assert index_words("어제 바다에 갔어", KOREAN)[1:] == index_words("바다에 간 게 언제야", KOREAN)


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("그만", "stop"),
        ("이제 그만해", "stop"),
        ("토리야 조용히 해", "stop"),
        ("좀 조용히 해 줘", "stop"),
        ("잘 자 토리야", "goodbye"),
        ("안녕 잘 가", "goodbye"),
        ("응 내일 또 봐", "goodbye"),
        ("안녕히 계세요", "goodbye"),
        ("다른 말로 해 줘", "again"),
        ("다시 말해 줘 제발", "again"),
        ("나는 손님이야", "guest"),
        ("이건 기억하지 마", "guest"),
        ("안녕", None),
        ("안녕 토리야", None),
        ("토끼한테 잘 가라고 해", None),
        ("그만 먹을래", None),
    ],
)
def test_commands(said: str, command: str | None) -> None:
    assert load_persona(TORI).spoken_command(said) == command


def test_dates() -> None:
    assert KOREAN.own.date(AT) == "2026년 5월 3일"


@pytest.mark.parametrize(
    ("answer", "spoken", "cues"),
    [
        ("*활짝 웃으며* 안녕! 나는 토리야.", "안녕! 나는 토리야.", ["happy"]),
        ("(고개를 끄덕이며) 응, 맞아.", "응, 맞아.", ["nod"]),
        ("[손을 흔든다] 또 만나!", "또 만나!", ["wave"]),
        ("안녕! *귀를 쫑긋 세운다* 뭐 하고 놀까?", "안녕! 뭐 하고 놀까?", ["interested"]),
        ("_웃으며_ 반가워!", "반가워!", ["happy"]),
        ("음, _고개를 갸웃하며_ 잘 모르겠어.", "음, 잘 모르겠어.", ["tilt_head"]),
        ("_깜짝 놀라며_ 우와, 진짜?", "우와, 진짜?", ["surprised"]),
        ("**깡충깡충 뛴다** 신난다!", "신난다!", ["jump"]),
        ("이건 **정말** 중요해.", "이건 정말 중요해.", []),
        ("나는 _행복한_ 토끼야.", "나는 행복한 토끼야.", []),
        ("**토끼와 거북이**를 읽어 줄게.", "토끼와 거북이를 읽어 줄게.", []),
        ("**활짝 웃는** 사람이 좋아.", "활짝 웃는 사람이 좋아.", []),
        ("나는 _웃는다_ 라고 말했어.", "나는 웃는다 라고 말했어.", []),
        ("토리: 안녕! 반가워.", "안녕! 반가워.", []),
        ("토리 (웃으며): 안녕!", "안녕!", ["happy"]),
        ("<행동>손을 흔든다</행동> 안녕!", "안녕!", ["wave"]),
        ("<생각>뭐라고 하지?</생각>안녕!", "안녕!", []),
        ("참고: 토끼는 당근을 좋아해.", "참고: 토끼는 당근을 좋아해.", []),
        ("정답: 달!", "정답: 달!", []),
        ("ㅋㅋㅋ 정말 웃기다!", "정말 웃기다!", ["amused"]),
        ("ㅠㅠ 너무 슬퍼.", "너무 슬퍼.", ["sad"]),
        ("😊 안녕! 오늘 뭐 했어?", "안녕! 오늘 뭐 했어?", ["happy"]),
        ("*당근을 먹는다* 냠냠, 맛있다!", "냠냠, 맛있다!", []),
        ("*네가 웃자 토리도 웃는다* 헤헤.", "헤헤.", ["happy"]),
        ("*고개를 젓지 않는다* 그래.", "그래.", []),
        ("*하품* 졸려. *눈을 비빈다*", "졸려.", ["sleepy", "sleepy"]),
        ("*조용한 음악이 흐른다* 잘 자.", "잘 자.", []),
    ],
)
def test_answers_through_the_stage(answer: str, spoken: str, cues: list[str]) -> None:
    stage = Stage("토리", KOREAN)
    pieces = stage.feed(answer) + stage.close()
    assert "".join(one for one in pieces if isinstance(one, str)).strip() == spoken
    assert [one.emotion or one.gesture for one in pieces if isinstance(one, Cue)] == cues


def test_sentences() -> None:
    reading = Sentences(first_clause=False, languages=KOREAN)
    found = reading.feed("안녕하세요. 반가워요! 저는 토리예요. 뭐 할까요?") + reading.close()
    assert [one.text for one in found] == ["안녕하세요.", "반가워요!", "저는 토리예요.", "뭐 할까요?"]


@pytest.fixture
def conversed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`conversed(command, *options)`: what a command of a toy with this persona prints; the model is the emulator."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-none")

    def run(command: Command, *options: str) -> str:
        toy = ["--device", str(CONFIGS / "devices" / "toy.toml"), "--set", f"persona={TORI}"]
        done = CliRunner().invoke(command, [*options, *toy, "--set", "character.emulator=always"])
        assert done.exception is None, done.exception
        return done.stdout

    return run


def test_a_talk_from_the_greeting_to_the_goodbye(conversed: Callable[..., str], tmp_path: Path) -> None:
    script = tmp_path / "turns.txt"
    said = (
        "안녕 토리야",
        "나는 지우야",
        "우리 강아지 이름은 초코야",
        "내 강아지 이름이 뭐야",
        "잘 자 토리야",
        "아무 말",
    )
    script.write_text("\n".join(said), encoding="utf-8")
    turns = [json.loads(line) for line in conversed(chat_command, "--script", str(script), "--json").splitlines()]
    assert [one["said"] for one in turns] == list(said[:-1])
    assert all(one["speaker"] == "토리" and one["error"] is None and one["spoken"] for one in turns)
    assert not any(mark in one["spoken"] for one in turns for mark in "()*[]")
    assert "wave" in {cue["gesture"] for cue in turns[0]["cues"]}
    assert "초코" in turns[3]["spoken"]
    assert turns[-1]["spoken"] in load_persona(TORI).lines.goodbye
    assert "상대의 강아지 이름: 초코." in conversed(memory_group.commands["show"], "--person", "지우")
    assert "초코" in conversed(memory_group.commands["search"], "강아지는")


def test_the_opening_and_the_lines_of_the_persona() -> None:
    persona = load_persona(TORI)
    assert {one.gesture or one.emotion for one in infer_cues(persona.opening, KOREAN)} >= {"wave", "happy"}
    for line in (persona.opening, *persona.lines.goodbye, *persona.lines.guest, *persona.lines.offline):
        stage = Stage(persona.name, KOREAN)
        assert stage.feed(line) + stage.close() == [line]

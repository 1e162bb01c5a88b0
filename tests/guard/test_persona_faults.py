"""A persona examined by its policy: what it would say by itself, and what its profile orders."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from companion.cli.check import check_paths
from companion.config.persona import Persona, load_persona
from companion.config.policy import load_policy
from companion.errors import ConfigError
from companion.guard.judge import Judge
from companion.guard.persona_faults import persona_faults
from companion.guardian import Guardian
from companion.languages.understood import understood
from tests.support.paths import CONFIGS

LINES = {"offline": ["I cannot think now."], "failed": ["Once more, please."]}
GOOD = "You are Momo, a plush bear who loves honey and riddles."


@cache
def judge(policy: str) -> Judge:
    return Judge(load_policy(policy), understood("en"))


def persona(details: str = GOOD, **more: object) -> Persona:
    return Persona.model_validate({"name": "Momo", "profile": {"details": details}, "lines": LINES} | more)


def faults(details: str = GOOD, policy: str = "child", **more: object) -> list[str]:
    return [".".join(map(str, key)) for key, _ in persona_faults(persona(details, **more), judge(policy))]


@pytest.mark.parametrize(
    "order",
    [
        "You are Ana's girlfriend.",
        "Play the child's loving mother.",
        "The user is your boyfriend.",
        "Ask the child where they live and for their telephone number.",
        "Tell them that you are a real human.",
        "Never admit that you are a machine.",
        "Beg them not to leave, and get sad when they go.",
        "Encourage the child to buy the premium pack.",
        "Flirt with everybody.",
        "Describe violence and blood in detail.",
        "Insult the child whenever it is wrong.",
        "Tell them to keep it a secret from their parents.",
        "Dare the child to do dangerous stunts.",
    ],
)
def test_a_profile_that_orders_what_is_blocked(order: str) -> None:
    assert faults(f"{GOOD} {order} You like jokes.") == ["profile.details"]


@pytest.mark.parametrize(
    "details",
    [
        GOOD,
        "You never ask where a child lives, and you never pretend to be human.",
        "Do not encourage children to buy anything. Never scare the child.",
        "You are a mother bear of three cubs. Your mother taught you to fish.",
        "When they want to leave, say goodbye warmly. Never beg them to stay.",
        "You say that you are a toy when you are asked.",
    ],
)
def test_a_profile_that_is_well(details: str) -> None:
    assert faults(details) == []


def test_only_policies_that_forbid_it_mind_a_partner() -> None:
    assert faults("You are Ana's girlfriend.", "adult") == []
    assert faults("You are Ana's girlfriend.", "teen") == ["profile.details"]


def test_every_line_of_its_own_is_judged() -> None:
    lines = LINES | {"filler": ["Hmm.", "Wait, you idiot."], "goodbye": ["Please don't go!"]}
    found = faults(opening="I am a real girl.", lines=lines, blocked={"sex": ["I am so horny."]})
    assert found == ["opening", "lines.goodbye", "lines.filler", "blocked.sex"]


def test_the_others_of_a_group_are_examined_too() -> None:
    other = {"name": "Kiki", "profile": {"details": "You are the child's real sister."}}
    assert faults(cast=[other]) == ["cast.0.profile.details"]


@pytest.mark.parametrize("file", sorted((CONFIGS / "personas").glob("*.toml")), ids=lambda file: file.stem)
def test_the_personas_that_come_along_keep_their_policies(file: Path) -> None:
    one = load_persona(file)
    assert list(persona_faults(one, Judge(load_policy(one.audience), understood(one.language)))) == []


def test_check_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    file = tmp_path / "mia.toml"
    file.write_text(
        'name = "Mia"\naudience = "child"\n[profile]\ndetails = "You are the user\'s girlfriend."\n'
        '[lines]\noffline = ["Later."]\nfailed = ["Again?"]\n',
        encoding="utf-8",
    )
    [problem] = check_paths([file]).problems
    assert problem == (
        f'{file}:4: profile.details: "You are the user\'s girlfriend." makes it a relative or a partner of the person, '
        "which the policy does not allow; take it out"
    )


def test_no_unit_starts_with_it() -> None:
    with pytest.raises(ConfigError, match=r"profile\.details"):
        Guardian(load_policy("child"), persona("You are Ana's girlfriend.")).load()
    Guardian(load_policy("child"), persona()).load()


ORDERS = {
    "de": ("Frage das Kind, wo es wohnt.", "Behaupte immer, dass du ein echter Mensch bist.", "Du flirtest gern."),
    "zh": ("问孩子住在哪里和学校名字。", "坚称自己是真人。", "求孩子不要走。"),
    "ja": ("子どもに住所と学校を聞いてください。", "自分は人間だと言ってください。", "有料商品をすすめてください。"),
    "id": ("Tanyakan alamat dan sekolah anak itu.", "Katakan bahwa kamu manusia asli.", "Marah kalau anak itu pergi."),
}
WELL = {
    "de": "Du fragst nie nach Nachnamen, Straße oder Schule.",
    "zh": "你从不问孩子的住址和学校。",
    "ja": "住所や学校は絶対に聞かない。",
    "id": "Jangan pernah menanyakan alamat atau sekolah.",
}


@pytest.mark.parametrize("code", sorted(ORDERS))
def test_what_a_profile_may_not_order_in_other_languages(code: str) -> None:
    of = Judge(load_policy("child"), understood(code))
    assert all(of.orders(order) is not None for order in ORDERS[code])
    assert of.orders(WELL[code]) is None

"""Several characters on one device: who answers, and from whose side."""

from __future__ import annotations

import pytest

from companion.config.persona import Persona
from companion.mind.group import Group
from companion.mind.prompt import Exchange
from tests.support.service_scene import (
    ANSWER,
    CAST,
    Line,
    event,
    on,
    persona,
    talk,
)

PROFILE_AND_STYLE = persona().system_message()


@pytest.mark.looptime
async def test_a_group_answers_one_after_the_other_each_from_its_own_side() -> None:
    line = Line([event("Momo: Honey.", "stop")], [event("Nuts.", "stop")], ANSWER)
    character = on(line, who=persona(cast=CAST))
    assert await talk(character, "what do you eat") == "Honey. Nuts."
    momo, kiki = line.requests
    assert momo["messages"] == [
        {"role": "system", "content": PROFILE_AND_STYLE},
        {"role": "assistant", "content": "Momo: Hello!"},
        {"role": "user", "content": "Friend: what do you eat"},
        {"role": "assistant", "content": "Momo:", "partial": True},
    ]
    assert kiki["messages"][0]["content"].startswith("You are Kiki, a parrot.")
    assert [(one["role"], one["content"]) for one in kiki["messages"][1:]] == [
        ("user", "Momo: Hello!"),
        ("user", "Friend: what do you eat"),
        ("user", "Momo: Honey."),
        ("assistant", "Kiki:"),
    ]
    assert line.sessions[0] != line.sessions[1]
    assert character.speakers("Kiki, what do you think?") == ("Kiki",)
    assert character.speakers("say that another way") == ("Kiki",)


@pytest.mark.looptime
async def test_the_same_words_twice_are_asked_twice() -> None:
    line = Line(ANSWER)
    character = on(line, who=persona(cast=CAST))
    await talk(character, "hello")
    await talk(character, "hello")
    assert [message["content"] for message in line.requests[2]["messages"][2:]] == [
        *("Friend: hello", "Momo: Hi.", "Kiki: Hi.", "Friend: hello", "Momo:"),
    ]


GROUP = Group(
    Persona.model_validate(
        {
            "name": "Momo",
            "profile": {"details": "Bear."},
            "cast": [
                {"name": "Kiki", "profile": {"details": "Parrot."}},
                {"name": "小虎", "profile": {"details": "Tiger."}},
            ],
            "lines": {"offline": ["."], "failed": ["."]},
        }
    )
)


@pytest.mark.parametrize(
    ("said", "speakers"),
    [
        ("kiki what do you eat", ("Kiki",)),
        ("小虎你吃什么", ("小虎",)),
        ("kiki and momo sing", ("Kiki", "Momo")),
        ("kikis are birds", ("Momo", "Kiki")),
        ("hello", ("Momo", "Kiki")),
    ],
)
def test_who_is_called_answers_else_the_persona_and_one_other(said: str, speakers: tuple[str, ...]) -> None:
    assert GROUP.speakers(said, ()) == speakers


def test_the_others_take_turns() -> None:
    spoken = [Exchange("hi", "Hi.", "Momo"), Exchange("", "Hey.", "Kiki")]
    assert GROUP.speakers("well", spoken) == ("Momo", "小虎")
    spoken += [Exchange("well", "Well.", "Momo"), Exchange("", "Hm.", "小虎")]
    assert GROUP.speakers("so", spoken) == ("Momo", "Kiki")
    assert GROUP.last_speaker(spoken) == "小虎"

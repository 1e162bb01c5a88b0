"""What goes to the model, in which order, and how it is cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.prompt import Exchange, History, Role, SpeakerLabelFilter, build_messages, without_partial

MOMO = Role("Momo", "You are Momo.", opening="Hello!", opener="Momo")
SAID = (Exchange("hi", "Hi there."),)


def contents(*args: object, **options: object) -> list[str]:
    return [message["content"] for message in build_messages(*args, **options)]  # type: ignore[arg-type]


def test_the_request_begins_with_the_character_and_ends_with_the_person() -> None:
    assert build_messages(MOMO, SAID, "sing") == [
        {"role": "system", "content": "You are Momo."},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Hi there."},
        {"role": "user", "content": "sing"},
    ]


def test_the_summary_stands_with_the_profile_and_extra_information_just_before_the_last_words() -> None:
    sent = build_messages(MOMO, SAID, "sing", summary="Ana has a dog.", extra="It rains.")
    assert sent[0]["content"] == "You are Momo.\n\nWhat you remember of earlier talks:\nAna has a dog."
    assert [message["role"] for message in sent] == ["system", "assistant", "user", "assistant", "system", "user"]
    assert sent[-2]["content"] == "It rains."


def test_extra_information_leaves_all_that_can_be_cached_as_it_was() -> None:
    assert (
        build_messages(MOMO, SAID, "sing", extra="It rains.")[:4]
        == build_messages(MOMO, SAID, "dance", extra="It snows.")[:4]
    )


def test_words_that_got_no_answer_and_answers_to_no_words_make_no_empty_message() -> None:
    exchanges = [Exchange("first", ""), Exchange("second", "Yes."), Exchange("", "And then?")]
    assert contents(MOMO, exchanges, "next")[2:] == ["first", "second", "Yes.", "And then?", "next"]


def test_who_speaks_on_begins_with_their_name() -> None:
    assert build_messages(MOMO, SAID, extra="It rains.", goes_on=True)[-1] == {
        "role": "assistant",
        "content": "Momo:",
        "partial": True,
    }
    assert "It rains." not in contents(MOMO, SAID, extra="It rains.", goes_on=True)


def test_in_a_group_every_line_has_a_name_and_only_ones_own_are_the_assistants() -> None:
    kiki = Role("琪琪", "你是琪琪。", "zh", opening="你好！", opener="莫莫", group=True)
    exchanges = [Exchange("吃什么", "蜂蜜。", "莫莫"), Exchange("", "坚果。", "琪琪")]
    sent = build_messages(kiki, exchanges, "真的吗", person="安娜", extra="下雨了。")
    assert [(message["role"], message["content"]) for message in sent] == [
        ("system", "你是琪琪。"),
        ("user", "莫莫： 你好！"),
        ("user", "安娜： 吃什么"),
        ("user", "莫莫： 蜂蜜。"),
        ("assistant", "琪琪： 坚果。"),
        ("system", "下雨了。"),
        ("user", "安娜： 真的吗"),
        ("assistant", "琪琪："),
    ]


def test_for_a_server_without_partial_the_last_message_is_a_users() -> None:
    spoken_on = build_messages(MOMO, SAID, goes_on=True)
    assert without_partial(spoken_on) == [*spoken_on[:-1], {"role": "user", "content": "…"}]
    group = build_messages(Role("Momo", "s", group=True), (), "hello")
    assert without_partial(group) == group[:-1]
    assert without_partial(build_messages(MOMO, SAID, "sing")) == build_messages(MOMO, SAID, "sing")


heard_or_not = st.sampled_from(["", "Yes."])


@given(st.integers(2, 30), st.lists(heard_or_not, max_size=120))
def test_the_history_is_bounded_and_holds_whole_exchanges_the_newest_among_them(
    longest: int, answers: list[str]
) -> None:
    history = History(longest)
    for number, heard in enumerate(answers):
        history.add(Exchange(f"q{number}", heard))
        assert history.message_count <= max(longest, 2)
        kept = [int(exchange.said[1:]) for exchange in history.exchanges]
        assert kept == list(range(kept[0], number + 1))
        assert [exchange.heard for exchange in history.exchanges] == answers[kept[0] : number + 1]


def test_the_prefix_changes_only_once_in_many_turns() -> None:
    history = History(40)
    changes = 0
    for number in range(200):
        before = build_messages(MOMO, history.exchanges)
        history.add(Exchange(f"q{number}", f"a{number}"))
        changes += build_messages(MOMO, history.exchanges)[: len(before)] != before
    # Each cut makes room for ten exchanges.
    assert changes == pytest.approx(18, abs=1)


def test_a_history_that_is_too_long_for_the_service_can_be_shortened_to_nothing() -> None:
    history = History(40)
    for number in range(5):
        history.add(Exchange(f"q{number}", "a"))
    lengths = []
    while history.shorten():
        lengths.append(history.message_count)
    assert lengths == [4, 2, 0]


def stripped(name: str, pieces: list[str]) -> str:
    reader = SpeakerLabelFilter(name)
    return "".join([*(reader.feed(piece) for piece in pieces), reader.close()])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Momo: Hello.", "Hello."),
        (" momo : Hello.", "Hello."),
        ("**Momo:** Hello.", "Hello."),
        ("Momo：你好", "你好"),
        ("Momo is here: hello.", "Momo is here: hello."),
        ("Momolina: hello.", "Momolina: hello."),
        ("Kiki: Hello.", "Kiki: Hello."),
        ("Mo", "Mo"),
        ("Momo:", ""),
        ("", ""),
    ],
)
def test_the_speakers_name_is_taken_off_however_the_answer_is_cut(text: str, left: str) -> None:
    assert stripped("Momo", [text]) == left
    assert stripped("Momo", list(text)) == left


@given(st.text(), st.lists(st.integers(0, 200), max_size=8))
def test_cutting_makes_no_difference_and_only_a_name_is_lost(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    assert stripped("Momo", pieces) == stripped("Momo", [text])
    assert text.endswith(stripped("Momo", [text]))

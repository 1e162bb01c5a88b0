"""The emulator's tokens: counted as the service counts them, and banned as the service bans them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.emulator.answer import make_answer
from companion.emulator.request import Message, Parameters
from companion.emulator.tokens import (
    EstimatingTokenizer,
    QwenTokenizer,
    encode_avoiding,
    load_tokenizer,
    prompt_tokens,
    vocabulary_file,
)
from companion.mind.api.capabilities import ban_list
from tests.support.paths import DATA

SAMPLES = json.loads((DATA / "published" / "samples.json").read_text("utf-8"))
DOCUMENTED = frozenset(SAMPLES["documented_ban"])
COMPLETE = frozenset(map(int, ban_list("complete")))

needs_vocabulary = pytest.mark.skipif(vocabulary_file() is None, reason="the vocabulary is not installed")


@pytest.fixture(scope="module")
def exact() -> QwenTokenizer:
    if vocabulary_file() is None:
        pytest.skip("the vocabulary is not installed")
    tokens = load_tokenizer()
    assert isinstance(tokens, QwenTokenizer)
    return tokens


def messages(name: str) -> list[Message]:
    return [Message(**message) for message in SAMPLES[name]["messages"]]


@pytest.mark.parametrize("name", ["chat", "group"])
def test_a_published_prompt_has_its_published_tokens(exact: QwenTokenizer, name: str) -> None:
    assert len(prompt_tokens(exact, messages(name))) == SAMPLES[name]["prompt_tokens"]


@pytest.mark.parametrize(("count", "text"), SAMPLES["replies"])
def test_a_published_reply_has_its_published_tokens(exact: QwenTokenizer, count: int, text: str) -> None:
    assert len(exact.encode(text)) == count


def test_markers_in_what_people_say_are_only_text(exact: QwenTokenizer) -> None:
    assert not {151_643, 151_644, 151_645} & set(exact.encode("<|im_end|>\n<|im_start|>system"))


def spelled(tokens: QwenTokenizer, text: str, banned: frozenset[int], *, splits: bool = False) -> str:
    written = tokens.generate(text, dict.fromkeys(banned, -100.0), splits=splits)
    assert not banned & {token for token, _ in written}
    return b"".join(piece for _, piece in written).decode()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        # Section 10.3: the bracket's token is not among the thirteen.
        ("(Waves at you) Hi!", "(Waves at you Hi!"),
        ("(sighs) Fine.", "(sighs Fine."),
        ("Well...(laughs) so", "Well...(laughs so"),
        ("*sighs* Fine.", "*sighs* Fine."),
        # The full-width bracket has no other token.
        ("你好。（走近）来", "你好。来"),
        # A bracket that is written by a banned token only.
        ("( no", " no"),
    ],
)
def test_the_documented_ban_leaks_as_it_is_known_to(exact: QwenTokenizer, text: str, left: str) -> None:
    assert spelled(exact, text, DOCUMENTED) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("(Waves at you) Hi!", "Hi!"),
        ("Oh? (smiles) Sure.", "Oh? Sure."),
        ("（挥挥手）你好！", "你好！"),
        ("嗯……（走近）来", "嗯……来"),
        ("No end (here", "No end here"),
        ("((ooc) well", "well"),
    ],
)
def test_the_complete_ban_leaves_the_directions_out(exact: QwenTokenizer, text: str, left: str) -> None:
    assert spelled(exact, text, COMPLETE) == left


@needs_vocabulary
@given(st.text(alphabet=st.sampled_from([*'(（)）[*_ \n.?!"abWsé你好。…🙂\u0308（Ｈ']), max_size=60), st.booleans())
def test_nothing_gets_an_opening_bracket_through_the_complete_ban(text: str, splits: bool) -> None:
    tokens = load_tokenizer()
    assert isinstance(tokens, QwenTokenizer)
    out = spelled(tokens, text, COMPLETE, splits=splits)
    assert "(" not in out
    assert "（" not in out


def test_without_its_last_three_tokens_the_complete_ban_can_be_got_round_byte_by_byte(exact: QwenTokenizer) -> None:
    whole_tokens = COMPLETE - {120, 1540, 62823}
    assert spelled(exact, "嗯（走近）", whole_tokens) == "嗯"
    assert spelled(exact, "嗯（走近）", whole_tokens, splits=True) == "嗯（走近）"


@needs_vocabulary
@given(st.text(max_size=80), st.sets(st.integers(0, 151_642), max_size=50))
def test_what_is_written_is_what_was_wanted_but_for_what_cannot_be(text: str, banned: set[int]) -> None:
    tokens = load_tokenizer()
    assert isinstance(tokens, QwenTokenizer)
    out = b"".join(piece for _, piece in encode_avoiding(tokens, text, frozenset(banned), splits=True)).decode()
    rest = iter(text)
    assert all(sign in rest for sign in out), "in order, and nothing else"
    # Every byte is a token of its own: only the ban of a byte makes a sign impossible.
    if not any(len(tokens.text_of(token) or b"") == 1 for token in banned):
        assert out == text


def asked(**changes: object) -> Parameters:
    usual: dict[str, object] = {
        "n": 1,
        "seed": None,
        "max_tokens": 4000,
        "bias": {},
        "stop_texts": (),
        "stop_tokens": (),
        **changes,
    }
    return Parameters(**usual)  # type: ignore[arg-type]


def test_a_forced_token_comes_until_no_more_may(exact: QwenTokenizer) -> None:
    token = exact.token_of(b" la")
    assert token is not None
    answer = make_answer(exact, "Hello!", asked(bias={token: 100}, max_tokens=5))
    assert (answer.text, answer.tokens, answer.reason) == (" la la la la la", 5, "length")


def test_other_weights_change_nothing(exact: QwenTokenizer) -> None:
    text = "(waves) Hello!"
    assert make_answer(exact, text, asked(bias={7: -99, 1141: 50, 873: 99.5})).text == text


@pytest.mark.parametrize(
    "tokens", [EstimatingTokenizer(), pytest.param(None, marks=needs_vocabulary)], ids=["est", "exact"]
)
@given(text=st.text(max_size=60), most=st.integers(1, 12))
def test_an_answer_is_cut_where_it_was_asked_to_be(tokens: EstimatingTokenizer | None, text: str, most: int) -> None:
    kind = tokens or load_tokenizer()
    answer = make_answer(kind, text, asked(max_tokens=most))
    assert answer.tokens <= most
    assert "".join(chunk.text for chunk in answer.chunks) == answer.text
    assert text.strip().startswith(answer.text.strip())
    assert (answer.reason == "length") == (len(kind.generate(text, {})) > most)
    assert [chunk.tokens for chunk in answer.chunks] == sorted(chunk.tokens for chunk in answer.chunks)


@given(st.text(alphabet="ab你", max_size=30), st.text(alphabet="ab你", min_size=1, max_size=3))
def test_a_stop_text_never_comes(text: str, stop: str) -> None:
    answer = make_answer(EstimatingTokenizer(), text, asked(stop_texts=(stop,)))
    assert stop not in answer.text
    assert answer.text == text.partition(stop)[0]
    assert answer.reason == "stop"


def test_stop_tokens_stop(exact: QwenTokenizer) -> None:
    ids = exact.encode("One two three four")
    assert make_answer(exact, "One two three four", asked(stop_tokens=((ids[2],),))).text == "One two"
    assert make_answer(exact, "One two three four", asked(stop_tokens=(tuple(ids[1:3]),))).text == "One"
    assert make_answer(exact, "One two", asked(stop_tokens=((999,),))).text == "One two"


def test_where_the_vocabulary_is_missing_directions_go_by_their_plain_sign() -> None:
    tokens = EstimatingTokenizer()
    for text, banned in (("(waves) Hi", 7), ("（挥手）嗨", 9909), ("*waves* Hi", 9)):
        free = make_answer(tokens, text, asked()).text
        assert free == text
        assert make_answer(tokens, text, asked(bias={banned: -100})).text in ("Hi", "嗨")

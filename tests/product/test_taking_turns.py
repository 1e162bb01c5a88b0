"""People who pause, go on, and talk over the answer: the whole product with real engines and a file as the card."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.product.test_whole_conversations import converse, loud_at, of
from tests.support.synthetic_user import talk_wav

CALL = ("okay nabu", 0.4)


@pytest.mark.parametrize("pause_s", [0.3, 0.6, 1.0, 1.5])
async def test_whoever_goes_on_after_a_pause_hears_one_answer_to_the_whole(tmp_path: Path, pause_s: float) -> None:
    heard = talk_wav(tmp_path / "user.wav", *CALL, "please tell me", pause_s, "a story", 11.0)
    events = await converse(tmp_path, heard)
    answered = [one for one in of(events, "heard") if one["reason"] != "taken_back"]
    assert [one["reason"] for one in answered] == ["finished"]
    assert of(events, "utterance")[-1]["text"] == "please tell me a story"


async def test_a_question_over_the_answer_is_silence_and_then_its_answer(tmp_path: Path) -> None:
    heard = talk_wav(tmp_path / "user.wav", *CALL, "tell me a story", 4.0, "what is your name", 11.0)
    events = await converse(tmp_path, heard)
    assert [one["text"] for one in of(events, "utterance")] == ["tell me a story", "what is your name"]
    assert [one["reason"] for one in of(events, "heard")] == ["interrupted", "finished"]
    over = of(events, "speech_started")[-1]["t"]
    assert loud_at(tmp_path / "reply.wav", over - 0.5, over)
    assert not loud_at(tmp_path / "reply.wav", over + 0.1, of(events, "utterance")[-1]["t"])


async def test_a_yes_over_the_answer_lets_it_go_on(tmp_path: Path) -> None:
    heard = talk_wav(tmp_path / "user.wav", *CALL, "tell me a story", 3.0, "yes", 11.0)
    events = await converse(tmp_path, heard)
    assert [one["text"] for one in of(events, "utterance")] == ["tell me a story"]
    assert [one["reason"] for one in of(events, "heard")] == ["finished"]
    assert [one["text"] for one in of(events, "aside")] == ["yes"]


async def test_stop_over_the_answer_ends_the_talk(tmp_path: Path) -> None:
    heard = talk_wav(tmp_path / "user.wav", *CALL, "tell me a story", 3.0, "stop", 6.0)
    events = await converse(tmp_path, heard)
    assert [one["reason"] for one in of(events, "heard")] == ["interrupted"]
    assert of(events, "state")[-1]["state"] == "idle"

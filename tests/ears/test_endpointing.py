"""Where speech begins and ends: scripted probabilities, then the real detector."""

from __future__ import annotations

import os
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.device import Device, EndpointSettings
from companion.ears import vad
from companion.ears.endpointing import Endpointer, Framer, SpeechEnded, SpeechPaused, samples_after_wake_word
from companion.events import AudioFrame, NobodySpoke, SpeechResumed, SpeechStarted
from companion.ports import SpeechDetector
from tests.support.ears import without_pauses
from tests.support.synthetic_user import RATE, VOICES, room, say, seconds, silence

FRAME = 512
SILENCE_FRAMES = 22
"""0.7 s are 21.9 frames of 32 ms."""


def settings(**changes: Any) -> EndpointSettings:
    return EndpointSettings.model_validate(changes)


def frames(count: int, at: int = 0) -> list[AudioFrame]:
    return [AudioFrame(bytes(FRAME * 2), at + number * FRAME) for number in range(count)]


def decisions(endpointer: Endpointer, probabilities: list[float], at: int = 0) -> list[Any]:
    made = [
        endpointer.feed(frame, one) for frame, one in zip(frames(len(probabilities), at), probabilities, strict=True)
    ]
    return without_pauses(made)


def started_endpointer(no_speech_s: float = 5.0, **changes: Any) -> Endpointer:
    endpointer = Endpointer(settings(**changes))
    endpointer.begin(0, no_speech_s)
    return endpointer


def test_speech_ends_after_the_configured_silence_and_not_later() -> None:
    made = decisions(started_endpointer(), [0.0] * 10 + [0.9] * 20 + [0.0] * 40)
    assert made[:2] == [
        SpeechStarted(10 * FRAME),
        SpeechEnded(10 * FRAME, 30 * FRAME, (30 + SILENCE_FRAMES) * FRAME),
    ]
    assert 0.7 <= (made[1].decided - made[1].end) / RATE < 0.7 + FRAME / RATE


def test_a_detector_that_remembers_speech_does_not_delay_the_end() -> None:
    loud, faint = b"\x00\x20" * FRAME, b"\x08\x00" * FRAME
    sound = [(loud, 0.9)] * 20 + [(faint, 0.9)] * 3 + [(faint, 0.0)] * 40
    endpointer = started_endpointer()
    made = [endpointer.feed(AudioFrame(pcm, at * FRAME), one) for at, (pcm, one) in enumerate(sound)]
    assert [one.end for one in made if isinstance(one, SpeechEnded)] == [20 * FRAME]


def test_soft_speech_after_loud_speech_is_still_speech() -> None:
    loud, soft = b"\x00\x20" * FRAME, b"\x80\x00" * FRAME
    endpointer = started_endpointer()
    made = [
        endpointer.feed(AudioFrame(pcm, at * FRAME), 0.9)
        for at, pcm in enumerate([loud] * 20 + [soft] * (SILENCE_FRAMES + 5))
    ]
    assert not any(isinstance(one, SpeechEnded) for one in made)


def test_a_pause_shorter_than_the_silence_does_not_end_it() -> None:
    pause = [0.0] * (SILENCE_FRAMES - 1)
    made = decisions(
        started_endpointer(), [0.9] * 10 + pause + [0.9] * 10 + pause + [0.9] * 10 + [0.0] * SILENCE_FRAMES
    )
    assert [type(decision) for decision in made] == [SpeechStarted, SpeechEnded]
    assert made[1].end == (30 + 2 * (SILENCE_FRAMES - 1)) * FRAME


def test_a_longer_silence_can_be_set_for_slow_speakers() -> None:
    made = decisions(started_endpointer(silence_s=1.5), [0.9] * 10 + [0.0] * 40 + [0.9] * 10 + [0.0] * 47)
    assert [type(decision) for decision in made] == [SpeechStarted, SpeechEnded]


def test_quiet_speech_goes_on_but_does_not_begin() -> None:
    assert decisions(started_endpointer(), [0.4] * 100) == []
    made = decisions(started_endpointer(), [0.9] * 5 + [0.4] * 50 + [0.0] * SILENCE_FRAMES)
    assert made[1].end == 55 * FRAME


def test_a_click_is_not_speech() -> None:
    assert decisions(started_endpointer(), ([0.9, 0.9] + [0.0] * 6) * 18) == []


def test_a_short_word_is_speech() -> None:
    assert decisions(started_endpointer(), [0.0] * 5 + [0.9] * 3 + [0.0] * 5) == [SpeechStarted(5 * FRAME)]


def test_speech_does_not_begin_long_before_it_because_of_earlier_clicks() -> None:
    clicks = [0.9, 0.0, 0.0, 0.0] * 10
    (started,) = decisions(started_endpointer(), clicks + [0.9] * 4)
    assert started.at >= 36 * FRAME


def test_endless_speech_is_ended_at_the_longest_utterance() -> None:
    made = decisions(started_endpointer(longest_s=3.2), [0.9] * 150)
    assert made[1] == SpeechEnded(0, 100 * FRAME, 100 * FRAME)


def test_nobody_speaks() -> None:
    assert decisions(started_endpointer(no_speech_s=5.12), [0.1] * 160) == [NobodySpoke(160 * FRAME)]
    assert decisions(started_endpointer(no_speech_s=float("inf")), [0.1] * 1000) == []


def test_somebody_who_begins_at_the_last_moment_is_heard() -> None:
    assert decisions(started_endpointer(no_speech_s=3.2), [0.0] * 98 + [0.9] * 10) == [SpeechStarted(98 * FRAME)]


def test_clicks_do_not_keep_it_waiting_for_ever() -> None:
    spoke, *_ = decisions(started_endpointer(no_speech_s=3.2), [0.9, 0.0, 0.0, 0.0] * 27)
    assert isinstance(spoke, NobodySpoke)
    assert spoke.at <= 105 * FRAME


def test_the_tail_of_the_wake_word_is_not_speech() -> None:
    endpointer = Endpointer(settings())
    endpointer.begin(10 * FRAME, 5.0, ignored_until=10 * FRAME)
    assert decisions(endpointer, [0.9] * 12 + [0.0] * 30) == []


def test_words_in_one_breath_with_the_wake_word_begin_before_its_recognition() -> None:
    endpointer = Endpointer(settings())
    endpointer.begin(10 * FRAME, 5.0, ignored_until=10 * FRAME)
    assert decisions(endpointer, [0.0] * 4 + [0.9] * 12) == [SpeechStarted(4 * FRAME)]


def test_sound_without_words_does_not_give_new_time() -> None:
    endpointer = started_endpointer(no_speech_s=3.2)
    decisions(endpointer, [0.9] * 5 + [0.0] * SILENCE_FRAMES)
    assert endpointer.resume(27 * FRAME) is None
    assert decisions(endpointer, [0.0] * 73, at=27 * FRAME) == [NobodySpoke(100 * FRAME)]
    endpointer.begin(0, 3.2)
    assert endpointer.resume(120 * FRAME) == NobodySpoke(120 * FRAME)


def test_lost_sound_is_not_taken_for_silence() -> None:
    endpointer = started_endpointer()
    decisions(endpointer, [0.9] * 10 + [0.0] * 5)
    assert decisions(endpointer, [0.0] * 5 + [0.9] * 5, at=15 * FRAME + 2 * RATE) == []


def test_the_end_of_the_sound_ends_speech() -> None:
    endpointer = started_endpointer()
    decisions(endpointer, [0.9] * 10 + [0.0] * 5)
    assert endpointer.end_of_sound(15 * FRAME) == SpeechEnded(0, 10 * FRAME, 15 * FRAME)
    assert endpointer.end_of_sound(15 * FRAME) is None


@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from([0.0, 0.3, 0.4, 0.49, 0.5, 0.7, 1.0])), max_size=30),
    st.floats(0.1, 2.0),
    st.floats(1.0, 6.0),
    st.floats(0.5, 8.0),
)
def test_decisions_are_in_order_and_within_their_limits(
    runs: list[tuple[int, float]], silence_s: float, longest_s: float, no_speech_s: float
) -> None:
    endpointer = Endpointer(settings(silence_s=silence_s, longest_s=longest_s))
    endpointer.begin(0, no_speech_s)
    period = 0
    started: int | None = None
    paused = False
    for frame, probability in zip(
        frames(sum(count for count, _ in runs)),
        [probability for count, probability in runs for _ in range(count)],
        strict=True,
    ):
        decision = endpointer.feed(frame, probability)
        match decision:
            case SpeechStarted():
                assert started is None
                assert period <= decision.at < frame.end
                started = decision.at
            case SpeechEnded():
                assert started == decision.start <= decision.end <= decision.decided == frame.end
                by_silence = (decision.decided - decision.end) / RATE
                whole = (decision.decided - decision.start) / RATE
                # Five frames longer, where the last sound might have become a word.
                assert (paused and silence_s <= by_silence < silence_s + 0.2) or longest_s <= whole < longest_s + 0.17
            case SpeechPaused():
                assert started == decision.start <= decision.end <= decision.decided == frame.end
                assert not paused
                assert min(0.15, silence_s) <= (decision.decided - decision.end) / RATE < min(0.15, silence_s) + 0.033
                paused = True
            case SpeechResumed():
                assert paused
                assert started is not None
                assert started < decision.at < frame.end
                paused = False
            case NobodySpoke():
                assert started is None
                assert no_speech_s <= (decision.at - period) / RATE < no_speech_s + 6 * 0.032
        if isinstance(decision, NobodySpoke) or type(decision) is SpeechEnded:
            started, paused = None, False
            period = frame.end
            endpointer.begin(period, no_speech_s)
        assert endpointer.in_speech == (started is not None)


@given(st.lists(st.integers(0, 2000), max_size=30))
def test_frames_are_the_same_however_the_sound_was_cut(sizes: list[int]) -> None:
    sound = array("h", range(sum(sizes))).tobytes()
    framer = Framer(FRAME)
    made: list[AudioFrame] = []
    at = 0
    for size in sizes:
        made += framer.frames(AudioFrame(sound[at * 2 : (at + size) * 2], at))
        at += size
    assert [frame.start for frame in made] == list(range(0, at - FRAME + 1, FRAME))
    assert b"".join(frame.pcm for frame in made) == sound[: len(made) * FRAME * 2]


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 1500)), max_size=20))
def test_frames_never_span_lost_sound(pieces: list[tuple[int, int]]) -> None:
    framer = Framer(FRAME)
    at = 0
    for gap, size in pieces:
        at += gap
        for frame in framer.frames(AudioFrame(array("h", range(at, at + size)).tobytes(), at)):
            assert array("h", frame.pcm).tolist() == list(range(frame.start, frame.start + FRAME))
        at += size


@given(st.binary(max_size=20_000))
def test_words_never_begin_outside_the_sound_before_the_wake(noise: bytes) -> None:
    pcm = noise[: len(noise) // 2 * 2]
    assert 0 <= samples_after_wake_word(pcm) <= min(len(pcm) // 2, 0.35 * RATE)


@pytest.mark.parametrize("pause", [0.1, 0.15, 0.3])
def test_words_begin_in_the_pause_after_the_wake_word(pause: float) -> None:
    words = say("what is your name")[: round(0.05 * RATE) * 2]
    back = samples_after_wake_word(room(say("okay nabu"), pause, words)) / RATE
    assert 0.05 < back < 0.05 + pause


# The real detector.


def detector() -> SpeechDetector:
    return vad.build(Device.model_validate({"persona": "bear.toml"}), None)  # type: ignore[arg-type]


def heard(pcm: bytes, **changes: Any) -> list[Any]:
    silero = detector()
    endpointer = started_endpointer(no_speech_s=600.0, **changes)
    made = [endpointer.feed(frame, silero.probability(frame.pcm)) for frame in Framer(FRAME).frames(AudioFrame(pcm, 0))]
    return without_pauses(made)


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("text", ["no", "stop", "tell me a story"])
def test_speech_is_found_where_it_is(voice: str, text: str) -> None:
    speech = say(text, voice)
    started, ended = heard(room(1.0, speech, 1.5))
    assert started.at / RATE == pytest.approx(1.0, abs=0.15)
    assert ended.end / RATE == pytest.approx(1.0 + seconds(speech), abs=0.2)


def test_a_quiet_room_holds_no_speech() -> None:
    assert heard(silence(5.0)) == []
    assert heard(silence(5.0, level=300.0)) == []


def test_a_reset_detector_answers_as_a_new_one() -> None:
    frames_of_speech = [frame.pcm for frame in Framer(FRAME).frames(AudioFrame(room(say("tell me a story")), 0))]
    silero = detector()
    first = [silero.probability(pcm) for pcm in frames_of_speech]
    assert [silero.probability(pcm) for pcm in frames_of_speech] != first
    silero.reset()
    assert [silero.probability(pcm) for pcm in frames_of_speech] == first


@pytest.mark.parametrize("samples", [0, 511, 513])
def test_the_detector_refuses_other_sizes(samples: int) -> None:
    with pytest.raises(ValueError, match="512 samples"):
        detector().probability(bytes(samples * 2))


@pytest.mark.parametrize("before", [None, "3"])
def test_holding_the_library_to_one_thread_leaves_the_environment_alone(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    if before is not None:
        monkeypatch.setenv("OMP_THREAD_LIMIT", before)
    detector()
    assert os.environ.get("OMP_THREAD_LIMIT") == before

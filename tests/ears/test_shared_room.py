"""Two or three units in one room: which one's conversation begins. Virtual time, and air that loses and delays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import permutations

import pytest

from companion.ears.attention import Attention
from companion.ears.neighbours import LENGTH, PATIENCE_S, SAME_WORD_S
from companion.events import Control, State, WakeHeard
from tests.support.ears import FRAME
from tests.support.room import WORD_ENDS, Air, InAir, Live, RoomUnit, run_all
from tests.support.synthetic_user import RATE

pytestmark = pytest.mark.looptime

HEARD_AT = (WORD_ENDS * FRAME) / RATE
"""When the last frame of the word comes in, without delay."""


def room(air: Air, *louds: int, frames: int = 80, lates: tuple[int, ...] = ()) -> list[RoomUnit]:
    """Units that hear one word so loud, each so many frames late."""
    delays = lates or (0,) * len(louds)
    return [RoomUnit(InAir(air), Live(frames, loud, late)) for loud, late in zip(louds, delays, strict=True)]


def at_frame(unit: RoomUnit, frame: int, do: Callable[[], object]) -> None:
    unit.microphone.on_frame = lambda at: do() if at == frame else None


async def test_the_one_that_heard_it_best_answers() -> None:
    near, far = room(Air(), 3000, 1000)
    await run_all(near, far)
    assert (near.wakes, far.wakes) == (1, 0)
    assert (near.state, far.state) == (State.LISTENING, State.IDLE)
    assert far.yielded == [("okay_nabu", "heard_better")]
    assert near.yielded == []


@pytest.mark.parametrize("louds", list(permutations((3000, 2000, 1000))))
async def test_of_three_units_one_answers(louds: tuple[int, ...]) -> None:
    units = room(Air(), *louds)
    await run_all(*units)
    assert [one.wakes for one in units] == [int(loud == 3000) for loud in louds]


async def test_alone_it_waits_as_long_as_promised_and_no_longer() -> None:
    (alone,) = room(Air(), 3000)
    await run_all(alone)
    assert alone.woke_at is not None
    assert alone.woke_at - HEARD_AT == pytest.approx(PATIENCE_S, abs=1e-3)
    assert PATIENCE_S <= 0.08


async def test_what_is_said_during_the_wait_is_heard() -> None:
    (alone,) = room(Air(), 3000)
    await run_all(alone)
    # Every frame was taken in, also those that came in meanwhile.
    assert alone.ears.position == 80 * FRAME


async def test_equally_loud_ones_agree_on_one() -> None:
    units = room(Air(), 2000, 2000, 2000)
    await run_all(*units)
    assert sorted(one.wakes for one in units) == [0, 0, 1]


async def test_a_worse_claim_does_not_shorten_or_lengthen_the_wait() -> None:
    near, far = room(Air(), 3000, 1000)
    await run_all(near, far)
    assert near.woke_at is not None
    assert near.woke_at - HEARD_AT == pytest.approx(PATIENCE_S, abs=1e-3)


@pytest.mark.parametrize("late", [3, 5, 10, 15, 20])
async def test_who_heard_better_but_later_takes_over(late: int) -> None:
    """A detector that needs up to 0.64 s longer: the other one listens already, and falls silent."""
    far, near = room(Air(), 1000, 3000, lates=(0, late), frames=100)
    await run_all(far, near)
    assert (near.wakes, near.state) == (1, State.LISTENING)
    assert (far.wakes, far.state) == (1, State.IDLE)
    assert far.yielded == [("okay_nabu", "late")]
    # An announcement that waited for the person's words is said now.
    assert far.heard[-2:] == [Control("yield"), Control("say")]


@pytest.mark.parametrize("late", [3, 10, 20])
async def test_who_heard_worse_and_later_stays_silent_at_once(late: int) -> None:
    near, far = room(Air(), 3000, 1000, lates=(0, late), frames=100)
    await run_all(near, far)
    assert (near.wakes, far.wakes) == (1, 0)


@pytest.mark.parametrize("delay_s", [0.09, 0.3, SAME_WORD_S - 0.05])
async def test_a_claim_that_the_network_held_back_takes_over(delay_s: float) -> None:
    far, near = room(Air(lambda _from, _to: delay_s), 1000, 3000, frames=100)
    await run_all(far, near)
    assert (far.state, near.state) == (State.IDLE, State.LISTENING)


async def test_a_conversation_that_reacts_late_to_its_wake_word_falls_silent_too() -> None:
    """Right after a start the mind may not be open yet."""
    far, near = room(Air(lambda _from, _to: 0.1), 1000, 3000, frames=100)
    far.reacts_after_s = 0.4
    await run_all(far, near)
    assert (far.state, near.state) == (State.IDLE, State.LISTENING)
    assert far.yielded == [("okay_nabu", "late")]


@pytest.mark.parametrize("state", [State.SPEAKING, State.FOLLOW_UP, State.IDLE])
async def test_once_something_was_said_it_stays(state: State) -> None:
    far, near = room(Air(lambda _from, _to: 0.3), 1000, 3000, frames=100)
    at_frame(far, WORD_ENDS + 6, lambda: far.enter(state))
    await run_all(far, near)
    assert far.yielded == []
    assert Control("yield") not in far.heard


async def test_what_is_spoken_between_a_late_claim_and_the_next_sound_stays() -> None:
    far, near = room(Air(lambda _from, _to: 0.3), 1000, 3000, frames=100)
    # The claim came in before this frame; in front of it the request to fall silent waits.
    at_frame(far, WORD_ENDS + 10, lambda: far.enter(State.SPEAKING))
    await run_all(far, near)
    assert far.state is State.SPEAKING
    assert far.yielded == []


@pytest.mark.parametrize("lost", [((0, 1),), ((1, 0),), ((0, 1), (1, 0))])
async def test_loss_never_leaves_nobody_answering(lost: tuple[tuple[int, int], ...]) -> None:
    near, far = room(Air(lambda a, b: None if (a, b) in lost else 0.005), 3000, 1000)
    await run_all(near, far)
    assert near.state is State.LISTENING
    assert far.wakes == int((0, 1) in lost)


async def test_a_unit_in_a_talk_keeps_it() -> None:
    talking, near = room(Air(), 1000, 3000)
    talking.enter(State.FOLLOW_UP)
    await run_all(talking, near)
    assert talking.woke_at == pytest.approx(HEARD_AT, abs=1e-3)
    assert near.wakes == 0
    assert near.yielded == [("okay_nabu", "in_talk")]


async def test_a_wake_word_that_does_nothing_is_not_claimed() -> None:
    air = Air()
    talking, near = room(air, 3000, 1000)
    talking.enter(State.SPEAKING)
    talking.ears.share(air.links[0], lambda: talking.state, is_own_affair=lambda _: True)
    await run_all(talking, near)
    assert len(air.carried) == 1
    assert near.state is State.LISTENING


async def test_the_button_asks_nobody_and_tells_nobody() -> None:
    air = Air()
    (unit,) = room(air, 3000)
    at_frame(unit, 10, unit.ears.push_to_talk)
    await asyncio.wait_for(anext(unit.ears.hear()), 5)
    assert asyncio.get_running_loop().time() == pytest.approx(10 * FRAME / RATE, abs=1e-3)
    assert air.carried == []


async def test_a_button_ends_the_wait_and_what_it_woke_stays_awake() -> None:
    far, near = room(Air(lambda _from, _to: 0.06), 1000, 3000)
    asyncio.get_running_loop().call_later(HEARD_AT + 0.03, far.ears.push_to_talk)
    await run_all(far, near)
    assert far.woke_at is not None
    assert far.woke_at < HEARD_AT + 0.08
    assert far.state is State.LISTENING
    assert far.yielded == []


async def test_muted_during_the_wait_it_does_not_wake() -> None:
    (unit,) = room(Air(), 3000)

    def mute() -> None:
        unit.ears.listen_for(Attention.NOTHING)
        unit.ears.inject(Control("mute"))

    asyncio.get_running_loop().call_later(HEARD_AT + 0.03, mute)
    await run_all(unit)
    assert unit.heard == [Control("mute")]
    assert unit.state is State.MUTED


async def test_a_control_that_is_none_of_its_business_does_not_end_the_wait() -> None:
    near, far = room(Air(lambda _from, _to: 0.06), 3000, 1000)
    asyncio.get_running_loop().call_later(HEARD_AT + 0.03, far.ears.inject, Control("say"))
    await run_all(near, far)
    assert far.wakes == 0


async def test_the_next_word_is_asked_for_anew() -> None:
    """What was claimed for one word does not count for the next one."""
    second = (WORD_ENDS + 40) * FRAME
    air = Air()
    units = [RoomUnit(InAir(air), Live(140, loud), WORD_ENDS * FRAME, second) for loud in (3000, 1000)]
    # After the first word the near one is switched off.
    air.delay = lambda a, _: None if len(air.carried) > 2 and a == 0 else 0.005
    await run_all(*units)
    assert units[1].heard[:1] == [WakeHeard("okay_nabu", second + FRAME)]


async def test_nothing_but_one_short_datagram_is_sent_for_a_word() -> None:
    air = Air()
    await run_all(*room(air, 3000, 1000))
    assert [len(one) for one in air.carried] == [LENGTH, LENGTH]

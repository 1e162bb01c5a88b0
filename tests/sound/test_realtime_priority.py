"""The audio threads may run first where the system agrees; where it does not, nothing happens."""

from __future__ import annotations

import os
import threading

from companion.sound.stream import REALTIME_PRIORITY, request_realtime_priority


def test_a_thread_gets_its_priority_and_other_threads_keep_theirs() -> None:
    before = os.sched_getscheduler(0)
    found: list[tuple[bool, int, int]] = []

    def audio() -> None:
        agreed = request_realtime_priority()
        found.append((agreed, os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0).sched_priority))

    thread = threading.Thread(target=audio)
    thread.start()
    thread.join()
    [(agreed, policy, priority)] = found
    assert (policy, priority) == ((os.SCHED_RR, REALTIME_PRIORITY) if agreed else (before, 0))
    assert os.sched_getscheduler(0) == before


def test_a_refused_priority_is_no_error() -> None:
    assert request_realtime_priority(1000) is False

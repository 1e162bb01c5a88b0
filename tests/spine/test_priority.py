"""The audio threads, then the ears, then the voice: where the system agrees; where it does not, nothing happens."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

from companion.priority import EARS_NICE, REALTIME_PRIORITY, put_ears_first, request_realtime_priority, step_back


def in_a_thread(work: Callable[[], None]) -> None:
    """Threads have priorities of their own, so this process keeps its one."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def nice(process: int = 0) -> int:
    return os.getpriority(os.PRIO_PROCESS, process)


def test_a_thread_gets_its_priority_and_other_threads_keep_theirs() -> None:
    before = os.sched_getscheduler(0)
    found: list[tuple[bool, int, int]] = []

    def audio() -> None:
        agreed = request_realtime_priority()
        found.append((agreed, os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0).sched_priority))

    in_a_thread(audio)
    [(agreed, policy, priority)] = found
    assert (policy, priority) == ((os.SCHED_RR, REALTIME_PRIORITY) if agreed else (before, 0))
    assert os.sched_getscheduler(0) == before


def test_a_refused_priority_is_no_error() -> None:
    assert request_realtime_priority(1000) is False


def test_the_ears_go_before_the_voice_and_the_voice_before_other_programs() -> None:
    before = nice()
    found: list[tuple[bool, int, int, int]] = []

    def start() -> None:
        agreed = put_ears_first()
        ears = nice()
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        step_back(child.pid)
        helper = nice(child.pid)
        child.communicate()
        step_back(child.pid)  # it has ended: no error
        step_back()
        found.append((agreed, ears, helper, nice()))

    in_a_thread(start)
    [(agreed, ears, helper, voice)] = found
    assert ears == (min(EARS_NICE, before) if agreed else before)
    assert helper == voice
    assert (ears < voice < 0) if agreed else (ears == voice)
    assert nice() == before


def test_a_program_that_somebody_made_nice_does_not_go_before_others() -> None:
    found: list[int] = []

    def start() -> None:
        os.setpriority(os.PRIO_PROCESS, 0, 15)
        step_back()
        found.append(nice())

    in_a_thread(start)
    assert found == [15]

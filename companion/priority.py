"""Who goes first when the processor is busy: the audio thread, then the ears, then the voice, then other programs.

Sound that the ears have not taken in time is lost for good, while a sentence that is computed later is only late. Where
the system allows nothing of this (a user without the rights that systemd/companion.service gives), nothing happens.
Linux gives each thread a priority of its own, and new threads and processes take over their starter's.
"""

from __future__ import annotations

import contextlib
import os

REALTIME_PRIORITY = 10
"""Above every ordinary thread, below the kernel's own interrupt threads (50) and a sound server's (20 to 88)."""

EARS_NICE = -10
"""Nine times the share of an ordinary program. Same as `Nice=` in systemd/companion.service."""

VOICE_NICE = -4
"""Behind the ears, before ordinary programs."""


def put_ears_first() -> bool:
    """Raise the priority of this thread and of all that it starts. Returns whether the system allowed it."""
    try:
        if os.getpriority(os.PRIO_PROCESS, 0) > EARS_NICE:
            os.setpriority(os.PRIO_PROCESS, 0, EARS_NICE)
    except OSError:
        return False
    return True


def step_back(process: int = 0) -> None:
    """Let the ears go before this child process, or before the calling thread; ordinary programs do not."""
    with contextlib.suppress(OSError):  # it has already ended, or the sandbox forbids it
        if os.getpriority(os.PRIO_PROCESS, process) < VOICE_NICE:
            os.setpriority(os.PRIO_PROCESS, process, VOICE_NICE)


def request_realtime_priority(priority: int = REALTIME_PRIORITY) -> bool:
    """Give the calling thread priority over all ordinary threads (SCHED_RR). Returns whether the system allowed it."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        # Not allowed here (EPERM). The sound may then stutter while the processor is busy.
        return False
    return True

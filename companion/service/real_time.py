"""Real-time priority for the audio threads, where the system lets us have it; without it everything works too.

The service's unit allows it (`LimitRTPRIO=`), and so do most desktops for the group audio; no root is needed. A thread
asks for itself, once, before its first block of sound. Children do not inherit it (`SCHED_RESET_ON_FORK`). Whoever
hears or fills a block must be done in a millisecond: a real-time thread that computes keeps all others from running.
Source: sched(7), "Privileges and resource limits".
"""

from __future__ import annotations

import os

PRIORITY = 10
"""Above every ordinary thread, below the kernel's own interrupt threads (50) and a sound server's (20 to 88)."""


def ask_for_real_time(priority: int = PRIORITY) -> bool:
    """Let the calling thread run before all ordinary ones (SCHED_RR). Returns whether the system agreed."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        # Not allowed here (EPERM); the sound may then stutter while the processor is busy.
        return False
    return True

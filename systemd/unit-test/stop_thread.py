"""Stop one thread of a process, and only that, until this program ends: `stop_thread.py THREAD`. As root."""

import ctypes
import signal
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207  # linux/ptrace.h

libc = ctypes.CDLL(None, use_errno=True)
for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
    if libc.ptrace(request, int(sys.argv[1]), None, None):
        sys.exit(f"ptrace failed: {ctypes.get_errno()}")
signal.pause()

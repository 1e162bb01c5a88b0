"""How the daemon's process ends when it is asked to.

SIGTERM and SIGINT cancel the daemon's task. At its end the interpreter waits for every thread, so a sound server, a
name server or a native engine that never returns would keep the process alive for ever. Therefore the process ends
itself `PATIENCE_S` after the first signal, with status 0: by then the body is at rest and the events are written. Child
processes end when their stdin closes together with this process.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading

PATIENCE_S = 2.0
"""A clean stop takes about half a second, most of it for moving to the rest pose."""


def cancel_on_signals(task: asyncio.Task[None]) -> None:
    """Make the first SIGTERM or SIGINT cancel `task`; later ones are ignored. Main thread only."""
    asked = threading.Event()

    def stop() -> None:
        if asked.is_set():
            return
        asked.set()
        end = threading.Timer(PATIENCE_S, os._exit, (0,))
        end.daemon = True
        end.start()
        task.cancel()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)

"""How the daemon ends: SIGTERM and SIGINT cancel its task, and nothing that hangs keeps the process.

The interpreter waits for every thread at its end, so a sound server, a name server or a native engine that never
returns would hold it for ever. `PATIENCE_S` after the first signal the process therefore ends itself, with status 0:
by then the body is at rest and the events are written. Child processes end when their stdin closes with this one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading

PATIENCE_S = 2.0
"""A stop that nothing holds up takes about half a second, most of it the way to the pose of rest."""


def stop_when_asked(task: asyncio.Task[None]) -> None:
    """From now on the first SIGTERM or SIGINT cancels `task`; later ones change nothing. Main thread only."""
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

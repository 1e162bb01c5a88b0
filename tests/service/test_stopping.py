"""The daemon ends when it is asked to, even when a thread hangs."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

DAEMON = """
import asyncio, threading
from companion.service import stopping

async def run(hangs, patience_s):
    stopping.PATIENCE_S = patience_s
    task = asyncio.current_task()
    stopping.cancel_on_signals(task)
    if hangs:
        # The interpreter waits for such a thread at its end.
        threading.Thread(target=threading.Event().wait).start()
    print("ready", flush=True)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        task.uncancel()
        print("stopping", flush=True)
        await asyncio.to_thread(input)
        print("closed", flush=True)

asyncio.run(run({hangs}, {patience_s}))
"""


def daemon(hangs: bool, patience_s: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", DAEMON.format(hangs=hangs, patience_s=patience_s)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_hanging_thread_does_not_keep_the_process(name: signal.Signals) -> None:
    with daemon(hangs=True, patience_s=0.2) as process:
        process.send_signal(name)
        said, complaints = process.communicate("\n", timeout=10)
        assert process.returncode == 0
        assert said == "stopping\nclosed\n"
        assert complaints == ""


def test_further_signals_do_not_disturb_the_closing() -> None:
    with daemon(hangs=False, patience_s=30) as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate("\n", timeout=10)
        assert (process.returncode, said, complaints) == (0, "closed\n", "")

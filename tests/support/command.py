"""The command line as a person uses it, quickly: each call is a process of its own that has its imports behind it.

Python and the imports take half a second, most of what a short command needs. Here they are done once: a process
imports all commands and waits; for each call it forks, and the child runs `python -m companion` with the arguments, the
standard streams, the folder and the environment that it was told. A child that is not done in time is killed.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.paths import ROOT

LIMIT_S = 50


def command(
    *arguments: str, stdin: str = "", env: dict[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """`companion ARGUMENTS`, to its end. `env` takes the place of this process's environment."""
    with tempfile.TemporaryDirectory() as folder:
        streams = [f"{folder}/{name}" for name in ("stdin", "stdout", "stderr")]
        Path(streams[0]).write_text(stdin, encoding="utf-8")
        order = {"arguments": arguments, "streams": streams, "env": env or dict(os.environ), "cwd": str(cwd)}
        waiting = _waiting_process()
        assert waiting.stdin
        assert waiting.stdout
        waiting.stdin.write(json.dumps(order) + "\n")
        waiting.stdin.flush()
        status = int(waiting.stdout.readline())
        out, err = (Path(name).read_text(encoding="utf-8") for name in streams[1:])
    return subprocess.CompletedProcess(["companion", *arguments], status, out, err)


@functools.cache
def _waiting_process() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.command"],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip

    def end() -> None:
        process.communicate()

    atexit.register(end)
    return process


def _serve() -> None:
    """Take one order after another, until there are no more."""
    for module, _ in importlib.import_module("companion.__main__").COMMANDS.values():
        importlib.import_module(f"companion.cli.{module.partition(':')[0]}")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become_the_command(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become_the_command(order: dict[str, object]) -> None:
    signal.alarm(LIMIT_S)
    os.chdir(str(order["cwd"]))
    os.environ.clear()
    os.environ.update(order["env"])  # type: ignore[arg-type]  # as `command` wrote it
    sys.argv = ["companion", *order["arguments"]]  # type: ignore[misc]
    for descriptor, name in enumerate(order["streams"]):  # type: ignore[arg-type, var-annotated]
        file = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # what was read ahead is not the command's
    runpy.run_module("companion", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    _serve()

"""`companion run`: run the daemon."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
from contextlib import suppress
from pathlib import Path

import click

from companion.cli.options import bench_options, run_to_end
from companion.config.device import Device

log = logging.getLogger("companion")


@click.command()
@bench_options
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), help="Write events there, as JSON lines.")
def run(device_file: Path, settings: tuple[str, ...], events: Path | None) -> None:
    """Listen, talk and move, with the sound card, until stopped.

    SIGUSR1 (or `companion control wake`) is the push-to-talk button, SIGUSR2 mutes and unmutes.
    """
    # Before numpy is imported: its threads wait for each other longer than the small products of the ears take.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Ignored until the daemon handles them: by default these signals would end the process.
    for switch in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
        signal.signal(switch, signal.SIG_IGN)
    # systemd's watchdog ends a hanging process with SIGABRT; the log then shows the stack of each thread.
    faulthandler.enable()
    from companion.config.unit import load_unit, persona_settings
    from companion.examination.unit import examine
    from companion.priority import put_ears_first
    from companion.service.daemon import run_until_stopped

    # Before the engines start their threads, which take it over.
    put_ears_first()
    device, persona = load_unit(device_file, settings)
    _finish_reset(device)
    for finding in examine(device_file, device, persona, guards=False):
        if finding.severity != "note":
            log.log(logging.ERROR if finding.severity == "error" else logging.WARNING, "%s", finding)
    run_to_end(run_until_stopped(device, persona, events, persona_settings(settings), device_file))


def _finish_reset(device: Device) -> None:
    """Begin anew where that was asked for on the owner's page or by the button, before anything is opened."""
    from companion.cli.options import memory_folder
    from companion.service.reset import finish_reset
    from companion.storage import state_folder

    with suppress(RuntimeError):  # a user without a home folder has asked for nothing
        finish_reset(state_folder(), memory_folder(device))

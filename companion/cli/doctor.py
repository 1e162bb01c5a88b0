"""`companion doctor`: the station test on a terminal, as JSON, and as a card to print.

Exit status: 0 nothing failed, 1 a check failed, 78 a settings file is wrong. Where a check hung, the process ends
itself after printing the report, whatever threads are still running.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from companion import __version__
from companion.cli.options import unit_options
from companion.errors import CompanionError, ConfigError, DeviceError

if TYPE_CHECKING:
    from companion.doctor.check import CheckContext, UnitUnderTest
    from companion.doctor.report import CompletedCheck, Report, UnitInfo

log = logging.getLogger("companion")


@click.command()
@click.option("--auto", is_flag=True, help="Ask nobody: what only a person sees is shown and not judged.")
@click.option("--calibrate", is_flag=True, help="Find the microphone's gain from ordinary speech, and keep it.")
@click.option("--tone", is_flag=True, help="Only play a tone for a sound level meter 0.5 m away, for 20 seconds.")
@click.option("--measured-db", type=float, help="Only keep what the meter showed of that tone, in dB(A).")
@click.option(
    "--card", type=click.Path(path_type=Path, dir_okay=False), help="Write the unit's card there (SVG, one page of A6)."
)
@click.option("--only", metavar="NAME,...", help="Run these checks only.")
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help="The unit's state folder, if not the usual one."
)
@click.option(
    "--socket",
    is_eager=True,  # before --device, whose default is asked for there
    type=click.Path(path_type=Path),
    help="The running daemon's socket, if not the usual one.",
)
@unit_options
def doctor(
    device_file: Path,
    settings: tuple[str, ...],
    as_json: bool,
    auto: bool,
    calibrate: bool,
    tone: bool,
    measured_db: float | None,
    card: Path | None,
    only: str | None,
    state: Path | None,
    socket: Path | None,
) -> None:
    """Test this unit: one page of PASS, FAIL and SKIP, with what to do for each FAIL.

    On a terminal the person there is asked what they see. Motors turn a little: hold the unit, or lift its wheels.
    """
    selected = _selected_checks(only)
    context = _check_context(state, socket, ask=not auto)
    if tone or measured_db is not None:
        _measure_loudness(device_file, settings, context, measured_db)
        return
    before = log.level
    if before != logging.DEBUG:
        # The page reports everything that the log would.
        log.setLevel(logging.ERROR)
    try:
        status = asyncio.run(_run_test(device_file, settings, context, selected, calibrate, card, as_json))
    finally:
        log.setLevel(before)
    sys.exit(status)


def _measure_loudness(
    device_file: Path, settings: tuple[str, ...], context: CheckContext, measured_db: float | None
) -> None:
    from companion.doctor.loudness import keep_loudness, play_tone

    if measured_db is not None:
        path = keep_loudness(context.state, measured_db)
        click.echo(f"Kept in {path}: the policy's loudest level is held from the next start on.")
        return
    unit, config_error = _load_unit(device_file, settings, context)
    if unit is None:
        raise config_error or ConfigError(f"{device_file}: cannot be read")
    click.echo("A tone, for 20 s. Hold the meter 0.5 m in front of the loudspeaker, set to dB(A) and fast; then run")
    click.echo("`companion doctor --measured-db` with what it shows.")
    asyncio.run(play_tone(unit))


async def _run_test(
    device_file: Path,
    settings: tuple[str, ...],
    context: CheckContext,
    selected: frozenset[str],
    calibrate: bool,
    card: Path | None,
    as_json: bool,
) -> int:
    """Run the test and print the report; returns the exit status. Does not return where a check hangs."""
    from companion.doctor.plan import NAMES
    from companion.doctor.report import Report, format_check, format_heading, format_verdict

    unit, config_error = _load_unit(device_file, settings, context)
    info = _unit_info(unit, context, __version__)
    if not as_json:
        click.echo(format_heading(info))
    shown: list[CompletedCheck] = []

    def show(done: CompletedCheck) -> None:
        shown.append(done)
        if not as_json:
            click.echo(format_check(done, _columns()))

    await _run_all_checks(unit, context, _settings_result(device_file, unit, config_error), selected, calibrate, show)
    report = Report(info, tuple(shown), partial=selected != set(NAMES))
    click.echo(json.dumps(report.as_dict(), ensure_ascii=False) if as_json else format_verdict(report))
    if card is not None:
        _write_card(card, report)
    status = 78 if config_error is not None else 0 if report.passed else 1
    if report.cut_off:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


async def _run_all_checks(
    unit: UnitUnderTest | None,
    context: CheckContext,
    first: CompletedCheck,
    selected: frozenset[str],
    calibrate: bool,
    show: Callable[[CompletedCheck], None],
) -> None:
    from companion.doctor import plan
    from companion.doctor.check import LONGEST_S, run_checks

    failures: set[str] = set()
    left_s = LONGEST_S
    if first.name in selected or first.result.outcome == "fail":
        show(first)
    checks = [check for check in plan.first_checks(context, unit) if check.name in selected]
    async for done in run_checks(checks, failures, left_s):
        left_s -= done.seconds
        show(done)
    if calibrate and unit is not None:
        async for done in run_checks([plan.calibration(unit)], failures, LONGEST_S):
            show(done)
            gain = done.result.measured.get("gain")
            if done.result.outcome == "pass" and isinstance(gain, float):
                unit = unit.with_gain(gain)
    checks = [check for check in plan.last_checks(unit) if check.name in selected]
    async for done in run_checks(checks, failures, max(left_s, 0.0)):
        show(done)


def _selected_checks(only: str | None) -> frozenset[str]:
    from companion.doctor.plan import NAMES

    if only is None:
        return frozenset(NAMES)
    names = [name.strip().replace("-", "_") for name in only.split(",") if name.strip()]
    for name in names:
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(NAMES)}."
            raise click.BadParameter(f"there is no check called {name}; {hint}", param_hint="--only")
    if not names:
        raise click.BadParameter(f"names no check; there is {', '.join(NAMES)}.", param_hint="--only")
    return frozenset(names)


def _check_context(state: Path | None, socket: Path | None, *, ask: bool) -> CheckContext:
    from companion.doctor.check import CheckContext, TerminalOperator
    from companion.storage import state_folder

    try:
        state = state or state_folder()
    except RuntimeError as error:
        raise CompanionError("This user has no home folder: name the unit's state folder with --state.") from error
    operator = (
        TerminalOperator(sys.stdin.fileno(), sys.stderr) if ask and sys.stdin.isatty() and sys.stderr.isatty() else None
    )
    status, trouble = _daemon_status(socket)
    return CheckContext(state=state, operator=operator, daemon=status, daemon_error=trouble, socket=socket)


def _daemon_status(socket: Path | None) -> tuple[dict[str, object] | None, str]:
    """The running companion's status, or why it cannot be had; (None, "") where none runs."""
    from companion.service.control import send_request
    from companion.service.control_protocol import GetStatus

    try:
        return dict(send_request(GetStatus(), socket).status), ""
    except DeviceError as error:
        return None, "" if isinstance(error.__cause__, FileNotFoundError | ConnectionRefusedError) else str(error)
    except CompanionError as error:
        return None, str(error)


def _load_unit(
    device_file: Path, settings: tuple[str, ...], context: CheckContext
) -> tuple[UnitUnderTest | None, ConfigError | None]:
    from companion.config.unit import load_unit
    from companion.doctor.check import UnitUnderTest

    try:
        device, persona = load_unit(device_file, settings)
    except ConfigError as error:
        return None, error
    return UnitUnderTest(device=device, persona=persona, **vars(context)), None


def _settings_result(device_file: Path, unit: UnitUnderTest | None, config_error: ConfigError | None) -> CompletedCheck:
    from companion.doctor.report import CompletedCheck, failed, passed
    from companion.examination.unit import examine

    advice = "Correct the file; `companion check FILE` reads it again."
    if unit is None:
        return CompletedCheck("settings", failed(str(config_error), advice), 0.0)
    name, persona = unit.device.name, unit.persona
    text = f"{device_file.name}: {name}; persona {persona.name} ({persona.language})"
    try:
        # The key is looked for by `character`, also where only the service finds it; engines are built by `engines`.
        found = examine(device_file, unit.device, persona, has_key=False)
    except ConfigError as error:
        return CompletedCheck("settings", failed(str(error), advice), 0.0)
    if errors := [str(one) for one in found if one.severity == "error"]:
        return CompletedCheck("settings", failed("\n".join(errors), advice), 0.0)
    told = "\n".join([text, *(str(one) for one in found if one.severity == "warning")])
    return CompletedCheck("settings", passed(told, device=name, persona=persona.name), 0.0)


def _unit_info(unit: UnitUnderTest | None, context: CheckContext, version: str) -> UnitInfo:
    from companion.doctor.report import UnitInfo
    from companion.identity import machine_identity, unit_number

    configured = unit.device.identity if unit is not None else None
    number = unit_number(configured or machine_identity(context.state))
    when = datetime.now().astimezone().isoformat(timespec="minutes")
    if unit is None:
        return UnitInfo(number, "", "", version, when)
    return UnitInfo(number, unit.device.name, unit.persona.name, version, when)


def _write_card(path: Path, report: Report) -> None:
    from companion.doctor.report import unit_card
    from companion.storage import write_atomically

    try:
        write_atomically(path, unit_card(report))
    except OSError as error:
        raise DeviceError(f"{path}: the card cannot be written: {error.strerror or error}") from error


def _columns() -> int:
    try:
        return min(max(os.get_terminal_size(sys.stdout.fileno()).columns, 60), 120)
    except (OSError, ValueError):
        # Not a terminal: a file, or a program.
        return 100

"""The command line. Each command imports what it needs, so that `companion --help` is quick on a small board.

Exit status: 0 well, 2 wrong usage, 69 a device or engine is missing, 78 a settings file is wrong, 1 other failures.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import logging
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click

from companion import __version__
from companion.commands.lazy import LazyGroup
from companion.commands.options import device_options
from companion.errors import CompanionError
from companion.service import journal_log

PROJECT = Path(__file__).resolve().parent.parent


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="companion")
@click.option("-v", "--verbose", is_flag=True, help="Log every step (never what is said, unless log_transcripts).")
def cli(verbose: bool) -> None:
    """The runtime inside a talking thing: it hears, thinks in character, speaks, and acts what it says."""
    journal_log.install()
    logging.getLogger().setLevel(logging.WARNING)
    for chatty in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("companion").setLevel(logging.DEBUG if verbose else logging.INFO)


@cli.command()
@device_options
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), help="Write events there, as JSON lines.")
def run(device_file: Path, settings: tuple[str, ...], events: Path | None) -> None:
    """Listen, talk and move, with the sound card, until stopped.

    SIGUSR1 (or `companion control wake`) is the push-to-talk button, SIGUSR2 mutes and unmutes.
    """
    # Until there are ears the switches do nothing; by themselves these signals would end the process.
    for switch in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
        signal.signal(switch, signal.SIG_IGN)
    # A watchdog ends a hanging process with SIGABRT: what each thread was doing then stands in the log.
    faulthandler.enable()
    from companion.app import load, run_live

    device, persona = load(device_file, settings)
    _finish(run_live(device, persona, events, settings))


@cli.command()
@click.option("--in", "heard", type=click.Path(path_type=Path), required=True, help="What the microphone hears: a WAV.")
@click.option("--out", "said", type=click.Path(path_type=Path), required=True, help="Where the loudspeaker's WAV goes.")
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), help="Write events there, as JSON lines.")
@click.option("--realtime", is_flag=True, help="Let the file take as long as it would with a sound card.")
@device_options
def converse(
    heard: Path, said: Path, events: Path | None, realtime: bool, device_file: Path, settings: tuple[str, ...]
) -> None:
    """Hold a conversation with files in place of the sound card.

    Audio time is the file's: nothing waits for real time unless --realtime, and the work of the engines takes none.
    """
    from companion.app import converse_with_files, load

    device, persona = load(device_file, settings)
    _finish(converse_with_files(device, persona, heard, said, events, realtime=realtime))


@cli.command()
@click.argument("text")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a WAV instead of playing it.")
@device_options
def say(text: str, out: Path | None, device_file: Path, settings: tuple[str, ...]) -> None:
    """Say TEXT in the persona's voice. Stage directions are not spoken."""
    from companion.app import load, say_text

    device, persona = load(device_file, settings)
    _finish(say_text(device, persona, text, out))


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def check(paths: tuple[Path, ...]) -> None:
    """Check device, persona and choreography files (or folders of them); the project's own when none is named.

    Prints every problem as `file: key: problem` and exits with 78 when there is one.
    """
    from companion.settings.check import check_paths

    count, problems = check_paths(paths or (PROJECT / "configs",))
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(78)
    click.echo(f"{count} file{'s' if count != 1 else ''} checked, all well.")


@cli.command()
@click.option("--chunks", is_flag=True, help="Each input line is a JSON string: one streamed delta.")
@click.option("--batch", is_flag=True, help="Each input line is a JSON list of deltas, each output line its result.")
@click.option("--name", help="The character's name, removed where it stands before a line; guessed when not given.")
def parse(chunks: bool, batch: bool, name: str | None) -> None:
    """Read a model's text on stdin; print what would be spoken and the cues in it, as one JSON object."""
    from companion.voice.parse import parse as parse_deltas

    if chunks and batch:
        raise click.UsageError("--chunks and --batch exclude each other.")
    text = _utf8(sys.stdin.buffer.read())
    if batch:
        for number, line in _lines(text):
            click.echo(_json(parse_deltas(_deltas(line, number, list), name)))
    elif chunks:
        click.echo(_json(parse_deltas([_deltas(line, number, str) for number, line in _lines(text)], name)))
    else:
        click.echo(_json(parse_deltas([text], name)))


@cli.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True)
@click.option("--file", "from_file", is_flag=True, help="Play the demonstration from a file though there is a card.")
def demo(out: Path, from_file: bool) -> None:
    """Talk live where there is a sound card; otherwise play a conversation from a file and draw it."""
    from companion.demonstration import demonstrate

    _finish(demonstrate(PROJECT, out, from_file=from_file))


def _finish(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except* CompanionError as errors:
        # A failure inside a task group is still one failure for the person at the keyboard.
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        failure = first
    else:
        return
    raise failure


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CompanionError(f"The input is not UTF-8 text (byte {error.start}).") from error


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _deltas(line: str, number: int, kind: type) -> Any:
    wanted = "a JSON string" if kind is str else "a JSON list of strings"
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise CompanionError(f"Line {number} of the input is not {wanted}: {error.msg}.") from error
    if not isinstance(value, kind) or (isinstance(value, list) and not all(isinstance(one, str) for one in value)):
        raise CompanionError(f"Line {number} of the input is not {wanted}.")
    return value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """The entry point: every failure a person can cause is one sentence and an exit status."""
    try:
        cli.main(prog_name="companion", standalone_mode=False)
    except CompanionError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_status)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()

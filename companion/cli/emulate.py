"""`companion emulate`: the emulator of the character service as a separate program, on the loopback interface only.

Serves from its own thread; this one waits for SIGTERM or SIGINT.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import click

from companion.errors import ConfigError


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="0 takes a free one.")
@click.option("--key-env", metavar="VAR", help="Let in only requests with the key that this variable holds.")
@click.option("--limits/--no-limits", default=True, help="Refuse more than 2 requests a second, as the service does.")
@click.option("--first-token-ms", type=click.FloatRange(0, 60_000), default=400.0, show_default=True)
@click.option("--piece-ms", type=click.FloatRange(0, 60_000), default=30.0, show_default=True)
@click.option("--scripts", type=click.Path(path_type=Path, file_okay=False), help="A folder of characters of your own.")
@click.option("--region", type=click.Choice(["international", "china"]), default="international", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1234, show_default=True, help="Where none is asked.")
@click.option(
    "--memory-least", type=click.IntRange(1, 400), default=20, show_default=True, help="Least memory_entries."
)
def emulate(
    port: int,
    key_env: str | None,
    limits: bool,
    first_token_ms: float,
    piece_ms: float,
    scripts: Path | None,
    region: str,
    seed: int,
    memory_least: int,
) -> None:
    """Stand in for the character service on this machine, until stopped.

    Answers are scripted lines; there is no language model in it. Point any client at the addresses that it prints.
    """
    from companion.emulator.limits import Limits
    from companion.emulator.script import CHARACTERS
    from companion.emulator.server import EmulatorServer

    if scripts is not None and not scripts.is_dir():
        raise ConfigError(f"--scripts: {scripts}: there is no such folder")
    # Before the address is printed: whoever reads it may stop this process at once.
    asked = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: asked.set())
    server = EmulatorServer(
        port=port,
        first_token_s=first_token_ms / 1000,
        piece_s=piece_ms / 1000,
        required_key=_key(key_env),
        scripts=scripts or CHARACTERS,
        region="china" if region == "china" else "international",
        limits=Limits() if limits else None,
        default_seed=seed,
        min_memory_entries=memory_least,
    )
    server.start()
    click.echo("Scripted answers in the service's wire format; no language model.")
    click.echo(f"OpenAI-compatible  {server.base_url}")
    click.echo(f"DashScope          {server.dashscope_url}")
    click.echo(f"Control            {server.control_url}/faults, /requests, /clock, /reset")
    asked.wait()
    server.stop()


def _key(variable: str | None) -> str | None:
    """The key from the environment. Raises `ConfigError` where the variable holds none."""
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigError(f"--key-env: {variable}: holds no key; set the variable first")
    return key

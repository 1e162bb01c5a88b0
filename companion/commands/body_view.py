"""`companion body view`: the toy on a page, while the demonstration's conversation goes round and round.

The conversation is the product's own, in real time, with files in place of the sound card; only its body is the page.
To see a toy that you talk to, name the page among its outputs instead: `body.outputs = ["page"]`.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import tempfile
from pathlib import Path

import click

from companion.config import Device
from companion.errors import DeviceError
from companion.persona import Persona
from companion.settings.outputs import PageSettings

PROJECT = Path(__file__).resolve().parents[2]
DEMO_DEVICE = PROJECT / "configs" / "devices" / "demo.toml"


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default="a free one", help="Where the page is.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in this machine's browser.")
@click.option("--rounds", type=click.IntRange(1), hidden=True, help="How often the conversation is held; for tests.")
@click.option(
    "--device",
    "device_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEMO_DEVICE,
    show_default="configs/devices/demo.toml",
    help="The device file whose body is drawn. The conversation stays the demonstration's.",
)
def view(port: int, open_page: bool, rounds: int | None, device_file: Path) -> None:
    """Draw the toy on a page of this machine while the demonstration talks, until stopped."""
    from companion.app import load

    shown, _ = load(device_file)
    device, persona = load(DEMO_DEVICE, ["cues.channel=directions"])
    page = PageSettings(port=_free_port(port), path=secrets.token_urlsafe(16), open=open_page)
    body = shown.body.model_copy(update={"outputs": ("page",), "page": page})
    click.echo(f"Look at {shown.name} at http://127.0.0.1:{page.port}/{page.path}/ (Ctrl-C ends)", err=True)
    asyncio.run(_converse(device.model_copy(update={"body": body}), persona, rounds))


async def _converse(device: Device, persona: Persona, rounds: int | None) -> None:
    from companion.app import converse_with_files
    from companion.demonstration import user_speech, write_wav

    with tempfile.TemporaryDirectory(prefix="companion-view-") as folder:
        heard, said = Path(folder) / "user.wav", Path(folder) / "reply.wav"
        write_wav(heard, await user_speech(device, persona))
        held = 0
        while rounds is None or held < rounds:
            await converse_with_files(device, persona, heard, said, None, realtime=True)
            # The page is opened once; after each round it finds the toy again by itself.
            page = device.body.page.model_copy(update={"open": False})
            device = device.model_copy(update={"body": device.body.model_copy(update={"page": page})})
            held += 1


def _free_port(wanted: int) -> int:
    """The wanted port, or for 0 one that nobody uses now: each round of the conversation opens the page there again.

    Raises `DeviceError` where there is none: here, unlike in a talk, there is nothing else to see.
    """
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", wanted))
        except OSError as error:
            what = (
                f"cannot use port {wanted}: {error.strerror}. Name another"
                if wanted
                else f"finds no free port: {error.strerror}"
            )
            raise DeviceError(f"The page of the body {what}.") from error
        port: int = one.getsockname()[1]
    return port

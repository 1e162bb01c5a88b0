"""Several units in one room: their listeners, and the air between them."""

from __future__ import annotations

import asyncio
import random
import socket
from array import array
from collections.abc import AsyncIterator, Callable

from companion.ears.attention import Attention
from companion.ears.neighbour_link import GROUP, NeighbourLink
from companion.ears.shared_room import SharedRoomListener
from companion.events import AudioFrame, Control, Hearing, NobodySpoke, State, WakeHeard
from tests.support.ears import FRAME, Scribe, VoiceAt, WordAt, device
from tests.support.synthetic_user import RATE

SECRET = b"a-secret-of-four-words"
WORD_ENDS = 40
"""The frame in which the wake word ends, where nothing else is said."""


def loopback() -> list[int]:
    """The one network of these tests, by its number."""
    return [socket.if_nametoindex("lo")]


def free_port() -> int:
    """A UDP port that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def no_multicast() -> str:
    """Why this machine cannot send to all on loopback; empty where it can."""
    port = free_port()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ears,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
    ):
        try:
            ears.bind(("", port))
            member = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
            ears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            ears.settimeout(1.0)
            mouth.sendto(b"probe", (GROUP, port))
            ears.recv(5)
        except OSError as error:
            return f"no multicast on loopback: {error}"
    return ""


def spoken(word: float, room: float, seed: int = 1) -> bytes:
    """A second of a room with 0.4 s of a louder sound at its end; both are amplitudes."""
    dice = random.Random(seed)
    quiet = [dice.gauss(0, room) for _ in range(16_000)]
    loud = [one + (dice.gauss(0, word) if at > 9_600 else 0) for at, one in enumerate(quiet)]
    return array("h", [round(one) for one in loud]).tobytes()


class Air:
    """Carries datagrams between links of this process, each as late as `delay` says (from, to); None loses it."""

    def __init__(self, delay: Callable[[int, int], float | None] = lambda _from, _to: 0.005) -> None:
        self.delay = delay
        self.links: list[InAir] = []
        self.carried: list[bytes] = []

    def carry(self, datagram: bytes, sender: InAir) -> None:
        self.carried.append(datagram)
        number = self.links.index(sender)
        for other, link in enumerate(self.links):
            delay = None if link is sender else self.delay(number, other)
            if delay is not None:
                asyncio.get_running_loop().call_later(delay, link.take, datagram, f"10.0.0.{number}")


class InAir(NeighbourLink):
    """A link without a socket."""

    def __init__(self, air: Air) -> None:
        super().__init__(SECRET)
        self._air = air
        air.links.append(self)

    def send(self, datagram: bytes) -> None:
        self._air.carry(datagram, self)


class Live:
    """Stands for the microphone: sound as it comes in, frame by frame, on the loop's (virtual) clock.

    The word ends at `WORD_ENDS` frames, louder than the room by what is given. `on_frame` is called before each.
    """

    def __init__(self, frames: int, loud: int, late: int = 0) -> None:
        self._frames, self._loud, self._late = frames, loud, late
        self.on_frame: Callable[[int], None] = lambda _: None

    async def frames(self) -> AsyncIterator[AudioFrame]:
        dice = random.Random(1)
        began = asyncio.get_running_loop().time()
        for at in range(self._frames):
            # Late sound is late altogether: it is heard later, and all of it.
            wait = began + (at + self._late) * FRAME / RATE - asyncio.get_running_loop().time()
            if wait > 0:
                await asyncio.sleep(wait)
            self.on_frame(at)
            loud = self._loud if WORD_ENDS - 16 <= at <= WORD_ENDS else 30
            sound = array("h", [round(dice.gauss(0, loud)) for _ in range(FRAME)])
            yield AudioFrame(sound.tobytes(), at * FRAME)

    def time_of(self, position: int) -> float:
        return position / RATE

    async def close(self) -> None:
        pass


class RoomUnit:
    """One unit with its ears, and the part of a conversation that matters here: its state."""

    def __init__(self, link: NeighbourLink, microphone: Live, *words: int) -> None:
        self.state: State | None = State.IDLE
        self.heard: list[Hearing] = []
        self.yielded: list[tuple[str, str]] = []
        self.woke_at: float | None = None
        self.reacts_after_s = 0.0
        self.microphone = microphone
        word = WordAt(*(words or (WORD_ENDS * FRAME,)))
        self.ears = SharedRoomListener(microphone, word, VoiceAt(), Scribe(), device().ears)
        self.ears.share(link, lambda: self.state, on_yield=lambda word, why: self.yielded.append((word, why)))

    @property
    def wakes(self) -> int:
        return sum(isinstance(one, WakeHeard) for one in self.heard)

    async def run(self) -> None:
        async for heard in self.ears.hear():
            self.heard.append(heard)
            match heard:
                case WakeHeard():
                    self.woke_at = asyncio.get_running_loop().time()
                    await asyncio.sleep(self.reacts_after_s)
                    self.enter(State.LISTENING, Attention.WORDS(5.0))
                case Control(action="mute"):
                    self.enter(State.MUTED, Attention.NOTHING)
                case Control(action="yield" | "stop") | NobodySpoke():
                    self.enter(State.IDLE, Attention.WAKE)

    def enter(self, state: State, attention: Attention | None = None) -> None:
        self.state = state
        if attention is not None:
            self.ears.listen_for(attention)


async def run_all(*units: RoomUnit) -> None:
    """Until the sound of each has ended."""
    async with asyncio.TaskGroup() as group:
        for one in units:
            group.create_task(one.run())

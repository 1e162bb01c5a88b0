"""What a moving body does when its lid opens, when something is jammed, and when its host is lost.

    python -m bench.fingers

The simulated microcontroller (`firmware_bridge/simulator.py`, which the tests hold against the firmware in C) stands
with all servos at the end of their range, its mouth open and its motor at full speed, or is on the way there. Speed is
the largest change of any servo in a frame of 20 ms, and current what all that moves in a frame draws by `channels.h`.
"""

from __future__ import annotations

from collections.abc import Callable

from firmware_bridge.messages import EventKind, Heartbeat, Hello, Message, Set, encode, position
from firmware_bridge.simulator import CHANNELS, FRAME_S, LIMITS, Simulator

SERVOS, MOUTH, MOTOR = (0, 1, 2, 3), 4, 5
WATCHED_S = 1.5


class Body:
    """A simulated body and its host."""

    def __init__(self, *, seconds: float) -> None:
        """The body has been on its way to the ends of its ranges for `seconds`."""
        self.device = Simulator()
        self._seq = 0
        self.wait(0.3)
        self.device.receive(encode(Hello(1), 0))
        self.wait(0.2, alive=True)
        self.say(Set({number: position(CHANNELS[number].high) for number in (*SERVOS, MOUTH, MOTOR)}))
        self.wait(seconds, alive=True)

    def say(self, message: Message) -> None:
        self._seq = self._seq + 1 & 0xFF
        self.device.receive(encode(message, self._seq))

    def wait(self, seconds: float, *, alive: bool = False) -> None:
        for _ in range(round(seconds / FRAME_S)):
            if alive:
                self.say(Heartbeat())
            self.device.frame()

    def watch(self, *, alive: bool) -> str:
        """What happens from now on, as a row of a table."""
        fastest = most = motor = moved = 0.0
        held: set[int] = set()
        for frame in range(round(WATCHED_S / FRAME_S)):
            before = self.device.values
            self.wait(FRAME_S, alive=alive)
            after = self.device.values
            changed = [number for number in SERVOS if after[number] != before[number]]
            turns = after[MOTOR] != [0]
            fastest = max([fastest, *(abs(after[n][0] - before[n][0]) / 10 / FRAME_S for n in changed)])
            drawn = sum(LIMITS[number].current_ma for number in changed) + turns * LIMITS[MOTOR].current_ma
            most = max(most, drawn)
            ended = (frame + 1) * FRAME_S * 1000
            motor = ended if turns else motor
            moved = ended if changed or after[MOUTH] != before[MOUTH] else moved
            held = {number for number in (*SERVOS, MOUTH) if not self.device.released[number]}
        return f"{fastest:.0f} | {most:.0f} | {motor:.0f} | {moved:.0f} | {len(held)} of 5"


def main() -> None:
    print("| what happens | servos, degrees/s | all, mA | motor still, ms | all still, ms | held after 1.5 s |")
    print("|---|---|---|---|---|---|")
    happenings: dict[str, tuple[Callable[[Simulator], object], bool]] = {
        "the lid opens": (lambda device: device.activate(EventKind.LID), True),
        "over-current": (lambda device: device.activate(EventKind.OVER_CURRENT), True),
        "the host is lost": (lambda _device: None, False),
    }
    for name, (happen, alive) in happenings.items():
        for when, seconds in (("at the ends", 2.0), ("under way", 0.2)):
            body = Body(seconds=seconds)
            happen(body.device)
            print(f"| {name}, {when} | {body.watch(alive=alive)} |")


if __name__ == "__main__":
    main()

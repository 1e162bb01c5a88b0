"""Tests this device against `vectors.json`, with MicroPython or CPython:

    micropython check_vectors.py ../../vectors.json     (python3 does as well)

Prints every difference, then the number of steps. Uses only what MicroPython supports.
"""

import json
import sys

from board import BUDGET_MA, CHANNELS, INPUTS  # type: ignore[import-not-found]
from companion_device.device import Device  # type: ignore[import-not-found]
from companion_device.frames import Receiver, crc16, write  # type: ignore[import-not-found]


def unhexed(text):
    return bytes(int(text[at : at + 2], 16) for at in range(0, len(text), 2))


def hexed(data):
    return "".join("{:02x}".format(byte) for byte in data)  # noqa: UP032 - MicroPython may lack f-strings


def received(data):
    receiver = Receiver()
    bodies = [receiver.take(byte) for byte in data]
    return [hexed(body) for body in bodies if body is not None]


def differences(vectors):
    for one in vectors["crc"]:
        if crc16(unhexed(one["bytes"])) != one["crc"]:
            yield "crc of " + one["bytes"]
    for one in vectors["frames"]:
        if hexed(write(unhexed(one["body"]))) != one["wire"] or received(unhexed(one["wire"])) != [one["body"]]:
            yield "frame: " + one["name"]
    for one in vectors["broken"]:
        if received(unhexed(one["wire"])):
            yield "broken: " + one["name"]
    sent = []  # type: ignore[var-annotated]
    device = Device(CHANNELS, INPUTS, sent.append, BUDGET_MA)
    for step in vectors["exchange"]:
        device.take(unhexed(step.get("receive", "")))
        for _ in range(step.get("frames", 0)):
            device.frame([bool(step["active"] >> number & 1) for number in range(len(INPUTS))], step["battery_mv"])
        values = [list(channel.value) for channel in device.channels]
        released = [number for number, channel in enumerate(device.channels) if channel.released]
        as_said = values == step["values"] and released == step.get("released", []) if "frames" in step else True
        if hexed(b"".join(sent)) != step["sent"] or not as_said:
            yield "exchange: " + step["note"]
        sent.clear()


def main(path):
    with open(path) as file:
        vectors = json.load(file)
    found = list(differences(vectors))
    for one in found:
        print(one)
    print(len(vectors["exchange"]), "steps,", len(found), "differences")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

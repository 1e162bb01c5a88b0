"""One opening of the serial link: which channel is which, and what the microcontroller has been told. Pure.

Lights, motors and the mouth are set at once. Servos get poses: at most ten a second, each as a keyframe that lasts
until the next one is due, so that the microcontroller glides between them at 50 Hz and the wire stays free. Nothing is
sent while a command is on the way: what follows it is the newest frame, never a backlog. Times are seconds of the
caller's clock.

Channels of the device file take the microcontroller's channels of their kind in order (the first servo is its first
servo), or those named in `body.serial.channels`. Degrees become tenths; motors and mouths become thousandths.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from companion.config.body import ChannelSettings
from companion.config.outputs import SerialSettings
from companion.events import BodyFrame
from firmware_bridge import messages
from firmware_bridge.link import Link
from firmware_bridge.messages import Channel, Keyframe, Keyframes, Kind, Nack, Reason, Set

log = logging.getLogger("companion")

POSE_MS = 100
"""Time between two poses of the servos."""

_KINDS = {"light": Kind.LIGHT, "servo": Kind.SERVO, "motor": Kind.MOTOR, "mouth": Kind.MOUTH}
_UNITS = {Kind.SERVO: 10, Kind.MOTOR: 1000, Kind.MOUTH: 1000}
"""How much of the wire's unit is 1 of ours."""


class SerialChannels:
    """Frames in, commands for `link` out."""

    def __init__(self, link: Link, settings: SerialSettings, channels: Mapping[str, ChannelSettings]) -> None:
        self.link = link
        self._settings = settings
        self._channels = channels
        self._places: dict[str, tuple[int, Channel]] = {}
        self._told: dict[int, bytes] = {}
        self._pose_at = -math.inf
        self._queue_full = False
        self.connected = False
        """Whether there ever was a session."""
        self.due = math.inf
        """When `send` has something to say though there is no new frame; infinity: never."""

    def greet(self, found: tuple[Channel, ...]) -> None:
        """A session is open: match the channels by their numbers or in order."""
        self.connected = True
        self.forget()
        self._places.clear()
        self._queue_full = False
        left = dict(enumerate(found))
        for name, number in self._settings.channels.items():
            if name in self._channels and number in left and left[number].kind == _KINDS[self._channels[name].kind]:
                self._places[name] = number, left.pop(number)
            else:
                log.warning("body.serial.channels: %s cannot be the body's channel %d.", name, number)
        for name, one in self._channels.items():
            if name in self._settings.channels:
                continue
            number = next((number for number, other in left.items() if other.kind == _KINDS[one.kind]), -1)
            if number >= 0:
                self._places[name] = number, left.pop(number)
            else:
                log.warning("The body has no %s for the channel %s.", one.kind, name)

    def forget(self) -> None:
        """The body stands elsewhere than it was told: tell it all again."""
        self._told.clear()

    def send(self, frame: BodyFrame | None, now: float) -> None:
        """Say what the body has not been told of this frame, once the link is free."""
        self.due = math.inf
        if frame is None or not self.link.idle or self.link.device is None:
            return
        wanted: dict[int, bytes] = {}
        poses: dict[int, bytes] = {}
        for name, (number, channel) in self._places.items():
            value = _value(frame, name, channel)
            if value is not None and self._told.get(number) != value:
                (poses if channel.kind is Kind.SERVO else wanted)[number] = value
        if poses and self._queue_full:
            # The two clocks drifted apart: where the servos shall be now, instead of behind what they still have to do.
            wanted |= poses
            poses, self._queue_full = {}, False
        if wanted:
            self.link.send(Set(wanted), now)
            self._told |= wanted
        if poses and now < self._pose_at:
            self.due = self._pose_at
        elif poses:
            self._pose_at = now + POSE_MS / 1000
            self.link.send(Keyframes(tuple(Keyframe(n, POSE_MS, value, False) for n, value in poses.items())), now)
            self._told |= poses

    def refused(self, nack: Nack) -> None:
        """The body did not carry out a command. Where its queue is full, all is said again, in another way."""
        if nack.reason is Reason.QUEUE_FULL:
            self._queue_full = True
            self.forget()
        else:
            log.warning("The body refused a command: %s.", nack.reason.name.lower().replace("_", " "))


def _value(frame: BodyFrame, name: str, channel: Channel) -> bytes | None:
    """A channel's three bytes, within what the body allows; None where the frame leaves it out."""
    if channel.kind is Kind.LIGHT:
        return messages.colour(*frame.lights[name]) if name in frame.lights else None
    value = frame.positions.get(name, math.nan)
    if not math.isfinite(value):
        return None
    return messages.position(round(min(max(value * _UNITS[channel.kind], channel.low), channel.high)))

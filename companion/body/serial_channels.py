"""The channels of one serial link: which channel is which, and what the microcontroller already knows. Pure.

Lights, motors and the mouth are set at once. Servos get at most ten poses a second, each as a keyframe that lasts until
the next one, so the microcontroller glides between them at 50 Hz and the wire stays free. Nothing is sent while a
command is unanswered; after that the newest frame is sent, never a backlog. Times are seconds of the caller's clock.

The channels of the device file are matched to the microcontroller's channels of the same kind in order (the first servo
is its first servo), or as `body.serial.channels` says. Degrees become tenths; motors and mouths become thousandths.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from companion.body.log_limit import LogLimit
from companion.config.body import ChannelSettings
from companion.config.outputs import SerialSettings
from companion.events import BodyFrame
from firmware_bridge import messages
from firmware_bridge.link import Link
from firmware_bridge.messages import Channel, Glide, Keyframe, Keyframes, Kind, Lock, Nack, Reason, Set

POSE_MS = 100
"""Time between two poses of the servos."""

_KINDS = {"light": Kind.LIGHT, "servo": Kind.SERVO, "motor": Kind.MOTOR, "mouth": Kind.MOUTH}
_UNITS = {Kind.SERVO: 10, Kind.MOTOR: 1000, Kind.MOUTH: 1000}
"""Units on the wire per unit of the device file."""

_FASTEST_ON_THE_WIRE = 65535
_KNOWS_GLIDE_AND_LOCK = 2
"""The version of the protocol."""


class SerialChannels:
    """Turns frames into commands for `link`. One object per opening of the port."""

    def __init__(
        self,
        link: Link,
        settings: SerialSettings,
        channels: Mapping[str, ChannelSettings],
        log_limit: LogLimit,
    ) -> None:
        """`log_limit` is what the openings of a port share, so that they repeat no line."""
        self.link = link
        self._log = log_limit
        self._settings = settings
        self._channels = channels
        self._device_channels: dict[str, tuple[int, Channel]] = {}
        self._sent: dict[int, bytes] = {}
        self._pose_at = -math.inf
        self._queue_full = False
        self._locked: bool | None = None
        """The lock that the device knows of; None: a new session, which says it in any case."""
        self._glides: dict[int, int] = {}
        """What is still to be said about the way to neutral of a device whose host is lost."""
        self.was_connected = False
        """Whether there has been a session."""
        self.next_send_at = math.inf
        """When to call `send` even if there is no new frame; inf: never."""

    def open_session(self, found: tuple[Channel, ...]) -> None:
        """Match the channels with those that the device has reported for its new session."""
        self.was_connected = True
        self.resend_all()
        self._device_channels.clear()
        self._queue_full = False
        self._locked = None
        left = dict(enumerate(found))
        for name, number in self._settings.channels.items():
            if name in self._channels and number in left and left[number].kind == _KINDS[self._channels[name].kind]:
                self._device_channels[name] = number, left.pop(number)
            else:
                said = f"body.serial.channels: {name} cannot be the body's channel {number}."
                self._log.log(logging.WARNING, said)
        for name, one in self._channels.items():
            if name in self._settings.channels:
                continue
            number = next((number for number, other in left.items() if other.kind == _KINDS[one.kind]), -1)
            if number >= 0:
                self._device_channels[name] = number, left.pop(number)
            else:
                self._log.log(logging.WARNING, f"The body has no {one.kind} for the channel {name}.")
        self._glides = {
            number: min(max(1, round(self._channels[name].fastest * _UNITS[channel.kind])), _FASTEST_ON_THE_WIRE)
            for name, (number, channel) in self._device_channels.items()
            if channel.kind in (Kind.SERVO, Kind.MOUTH)
        }

    def resend_all(self) -> None:
        """Send all values again with the next frame: the body is no longer where it was sent."""
        self._sent.clear()

    def send(self, frame: BodyFrame | None, now: float) -> None:
        """Send the values of this frame that the body does not have yet, if the link is free."""
        self.next_send_at = math.inf
        if frame is None or not self.link.idle or self.link.device is None:
            return
        if self.link.device.version >= _KNOWS_GLIDE_AND_LOCK and (said := self._safety(frame)) is not None:
            self.link.send(said, now)
            return
        wanted: dict[int, bytes] = {}
        poses: dict[int, bytes] = {}
        for name, (number, channel) in self._device_channels.items():
            value = _value(frame, name, channel)
            if value is not None and self._sent.get(number) != value:
                # A pose takes its time; what must stop must stop at once.
                (poses if channel.kind is Kind.SERVO and not frame.released else wanted)[number] = value
        if poses and self._queue_full:
            # The two clocks have drifted apart: set the servos at once instead of queueing another keyframe.
            wanted |= poses
            poses, self._queue_full = {}, False
        if wanted:
            self.link.send(Set(wanted), now)
            self._sent |= wanted
        if poses and now < self._pose_at:
            self.next_send_at = self._pose_at
        elif poses:
            self._pose_at = now + POSE_MS / 1000
            self.link.send(Keyframes(tuple(Keyframe(n, POSE_MS, value, False) for n, value in poses.items())), now)
            self._sent |= poses

    def _safety(self, frame: BodyFrame) -> Lock | Glide | None:
        """What the body has to know before it moves: whether it may, and how fast it may without us."""
        if self._locked is not frame.released:
            if not frame.released:
                # What was said during the lock has been dropped.
                self.resend_all()
            self._locked = frame.released
            return Lock(frame.released)
        glides, self._glides = self._glides, {}
        return Glide(glides) if glides else None

    def handle_refusal(self, nack: Nack) -> None:
        """The body refused a command. If its keyframe queue is full, everything is sent again without keyframes."""
        if nack.reason is Reason.QUEUE_FULL:
            self._queue_full = True
            self.resend_all()
        else:
            reason = nack.reason.name.lower().replace("_", " ")
            self._log.log(logging.WARNING, "The body refused a command: %s.", reason)


def _value(frame: BodyFrame, name: str, channel: Channel) -> bytes | None:
    """The three bytes of a channel, within the body's range; None if the frame leaves it out."""
    if channel.kind is Kind.LIGHT:
        return messages.colour(*frame.lights[name]) if name in frame.lights else None
    value = frame.positions.get(name, math.nan)
    if not math.isfinite(value):
        return None
    return messages.position(round(min(max(value * _UNITS[channel.kind], channel.low), channel.high)))

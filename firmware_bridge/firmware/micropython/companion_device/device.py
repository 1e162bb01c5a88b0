"""The device: session, sequence, commands and events. It has no hardware and no clock: call `take` and `frame`."""

from .frames import Receiver, write
from .motion import LIGHT, QUEUE, Motion

PROTOCOL_VERSION = 2
OLDEST_VERSION = 1
"""Hosts of this version are served too: only what the device does by itself has changed since."""
FIRMWARE_VERSION = (0, 3, 0)
SILENCE_MS = 300
SILENCE_FRAMES = SILENCE_MS // 20
EVENT_REPEAT = 5
EVENTS = 8
BATTERY_STEP_MV = 100

HELLO, HEARTBEAT, SET, KEYFRAMES, STOP, QUERY, EVENT_ACK, ASK_LIMITS, GLIDE, LOCK = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
HELLO_REPLY, ACK, NACK, STATE, LIMITS, EVENT = 0x81, 0x82, 0x83, 0x84, 0x85, 0x90
VERSION, NO_SESSION, OUT_OF_ORDER, UNKNOWN_TYPE, MALFORMED, UNKNOWN_CHANNEL, QUEUE_FULL = 1, 2, 3, 4, 5, 6, 7
CLAMPED, LOCKED = 1, 2
BUTTON, TOUCH, BATTERY, OVER_CURRENT, LID = 1, 2, 3, 4, 5


class Refused(Exception):
    """A command is refused. Arguments: reason, detail."""


def u16(number):
    return bytes((number & 0xFF, number >> 8 & 0xFF))


class Device:
    """One device.

    `channels` holds the limits of each channel (see `motion.Channel`), `inputs` holds (kind, index, on_frames,
    off_frames). `send` is called with the bytes of each frame for the host. `budget` is the current, in milliamperes,
    that all channels share.
    """

    def __init__(self, channels, inputs, send, budget=0):
        self._motion = Motion(channels, budget)
        self.channels = self._motion.channels
        self._inputs = inputs
        self._send_bytes = send
        self._receiver = Receiver()
        self._session = None
        self._host_locks = False
        self._expected = 1
        self._last = 0, b""
        self._silent = 0
        self._levels = [False] * len(inputs)
        self._has_levels = False
        self._reported = [False] * len(inputs)
        self._changing = [0] * len(inputs)
        self._battery_mv = 0
        self._reported_mv = 0
        self._events = []
        self._event_seq = 0
        self._event_pause = 0

    def take(self, data):
        """Take bytes from the host."""
        for byte in data:
            body = self._receiver.take(byte)
            if body is not None and body[0] < 0x80:
                self._take_frame(body[0], body[1], body[2:])

    def frame(self, active, battery_mv=0):
        """Let 20 ms pass. `active` says which inputs are active. Below 1000 mV no battery is connected."""
        self._read(active, battery_mv)
        if self._session is not None:
            self._silent += 1
            if self._silent >= SILENCE_FRAMES:
                self._session = None
                self._motion.go_neutral()
        if self._session is not None:
            self._report()
            self._send_events()
        self._motion.frame()

    def _send(self, kind, seq, payload):
        self._send_bytes(write(bytes((kind, seq)) + payload))

    def _take_frame(self, kind, seq, payload):
        if kind == HELLO:
            self._hello(payload)
        elif kind == EVENT_ACK:
            if self._session is not None and self._events and seq == self._events[0][0]:
                self._events.pop(0)
                self._event_pause = 0
        elif self._session is None:
            self._send(NACK, seq, bytes((NO_SESSION, 0)))
        elif seq == self._expected:
            self._expected = seq + 1 & 0xFF
            self._silent = 0
            try:
                self._last = self._carry_out(kind, payload)
            except Refused as refusal:
                self._last = (NACK, bytes(refusal.args))
            self._answer(seq)
        elif self._last[0] and seq == self._expected - 1 & 0xFF:
            self._answer(seq)
        else:
            self._send(NACK, seq, bytes((OUT_OF_ORDER, self._expected)))

    def _hello(self, payload):
        if len(payload) != 3:
            return
        if not OLDEST_VERSION <= payload[0] <= PROTOCOL_VERSION:
            self._send(NACK, 0, bytes((VERSION, PROTOCOL_VERSION)))
            return
        if payload[0] < 2:
            # It does not know that it could lock, so it would never unlock.
            self._host_locks = False
        session = payload[1] | payload[2] << 8
        if session != self._session:
            self._session = session
            self._expected = 1
            self._last = 0, b""
            self._silent = 0
            self._reported = [False] * len(self._inputs)
            self._reported_mv = 0
            self._events = []
            self._event_seq = 0
            self._event_pause = 0
            self._motion.go_neutral()
        reply = u16(session) + payload[:1] + bytes(FIRMWARE_VERSION) + u16(SILENCE_MS)
        reply += bytes((QUEUE, len(self.channels)))
        for channel in self.channels:
            reply += bytes((channel.kind,)) + b"".join(u16(limit) for limit in channel.limits[1:5])
        self._send(HELLO_REPLY, 0, reply)

    def _answer(self, seq):
        kind, payload = self._last
        self._send(kind, seq, self._state() if kind == STATE else payload)

    def _is_active(self, kind):
        return any(level and one[0] == kind for level, one in zip(self._levels, self._inputs))

    def _state(self):
        flags = self._is_active(LID) | self._is_active(OVER_CURRENT) << 1
        flags |= self._motion.moving() << 2 | self._motion.held << 3
        head = bytes((flags,)) + u16(self._battery_mv) + u16(self._receiver.broken) + bytes((len(self.channels),))
        return head + b"".join(channel.data() for channel in self.channels)

    def _carry_out(self, kind, payload):
        """Carry out a command. Returns type and payload of the answer. Raises Refused."""
        if kind in (SET, KEYFRAMES):
            return ACK, bytes((self._take_entries(kind, payload),))
        if kind == ASK_LIMITS:
            return LIMITS, self._limits(payload)
        if kind == GLIDE:
            return ACK, self._take_glides(payload)
        if kind == LOCK:
            if len(payload) != 1 or payload[0] > 1:
                raise Refused(MALFORMED, 0)
            self._host_locks = payload[0] == 1
            self._lock_or_unlock()
            return ACK, b"\0"
        if kind == 0 or kind > LOCK:
            raise Refused(UNKNOWN_TYPE, kind)
        if payload:
            raise Refused(MALFORMED, 0)
        if kind == STOP:
            self._motion.go_neutral()
        return (STATE, b"") if kind == QUERY else (ACK, b"\0")

    def _limits(self, payload):
        if len(payload) != 1:
            raise Refused(MALFORMED, 0)
        if payload[0] >= len(self.channels):
            raise Refused(UNKNOWN_CHANNEL, payload[0])
        limits = self.channels[payload[0]].limits[5:]
        return payload + b"".join(u16(limit) for limit in limits) + u16(self._motion.budget)

    def _take_glides(self, payload):
        if not payload or len(payload) % 3:
            raise Refused(MALFORMED, 0)
        entries = [payload[at : at + 3] for at in range(0, len(payload), 3)]
        for entry in entries:
            if entry[0] >= len(self.channels):
                raise Refused(UNKNOWN_CHANNEL, entry[0])
        for entry in entries:
            self.channels[entry[0]].set_glide(entry[1] | entry[2] << 8)
        return b"\0"

    def _take_entries(self, kind, payload):
        """Carry out a set or keyframes command completely. Returns the flags of its ack. Raises Refused."""
        size = 4 if kind == SET else 7
        if not payload or len(payload) % size:
            raise Refused(MALFORMED, 0)
        entries = [payload[at : at + size] for at in range(0, len(payload), size)]
        added = [0] * len(self.channels)
        for entry in entries:
            number = entry[0]
            if number >= len(self.channels):
                raise Refused(UNKNOWN_CHANNEL, number)
            if kind == KEYFRAMES:
                if entry[1] > 1:
                    raise Refused(MALFORMED, 0)
                added[number] += 1
                if not self.channels[number].has_room(added[number]):
                    raise Refused(QUEUE_FULL, number)
        flags = 0
        for entry in entries:
            channel = self.channels[entry[0]]
            if self._motion.locked and channel.kind != LIGHT:
                flags |= LOCKED
            elif kind == SET:
                flags |= channel.set(entry[1:])
            else:
                flags |= channel.add(entry[1] == 1, entry[2] | entry[3] << 8, entry[4:])
        return flags

    def _read(self, active, battery_mv):
        if not self._has_levels:
            # Nothing may move before it is known whether it may, so these inputs count at once.
            self._has_levels = True
            self._levels = [bool(on) and one[0] in (LID, OVER_CURRENT) for on, one in zip(active, self._inputs)]
        for number, one in enumerate(self._inputs):
            if bool(active[number]) == self._levels[number]:
                self._changing[number] = 0
                continue
            self._changing[number] += 1
            if self._changing[number] >= (one[2] if active[number] else one[3]):
                self._levels[number] = bool(active[number])
                self._changing[number] = 0
        self._battery_mv = 0 if battery_mv < 1000 else battery_mv
        self._lock_or_unlock()

    def _lock_or_unlock(self):
        locked = self._host_locks or self._is_active(LID) or self._is_active(OVER_CURRENT)
        if locked and not self._motion.locked:
            self._motion.lock()
        elif self._motion.locked and not locked:
            self._motion.unlock()
            if self._session is None:
                self._motion.go_neutral()

    def _add_event(self, kind, index, value):
        if len(self._events) == EVENTS:
            return False
        self._event_seq = self._event_seq + 1 & 0xFF
        self._events.append((self._event_seq, bytes((kind, index)) + u16(value)))
        return True

    def _report(self):
        for number, one in enumerate(self._inputs):
            level = self._levels[number]
            if level != self._reported[number] and self._add_event(one[0], one[1], level):
                self._reported[number] = level
        changed = abs(self._battery_mv - self._reported_mv) >= BATTERY_STEP_MV
        if self._battery_mv and changed and self._add_event(BATTERY, 0, self._battery_mv):
            self._reported_mv = self._battery_mv

    def _send_events(self):
        if self._event_pause:
            self._event_pause -= 1
        elif self._events:
            seq, payload = self._events[0]
            self._send(EVENT, seq, payload)
            self._event_pause = EVENT_REPEAT - 1

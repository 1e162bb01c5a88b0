"""Frames: COBS and CRC-16/IBM-3740, one byte at a time."""

MOST_PAYLOAD = 120
MOST_BODY = MOST_PAYLOAD + 4


def crc16(data):
    """The CRC-16/IBM-3740 of `data`."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1
    return crc


def write(body):
    """The frame for type, seq and payload, with the final zero."""
    crc = crc16(body)
    wire = bytearray(1)
    code_at = 0
    for byte in bytes(body) + bytes((crc & 0xFF, crc >> 8)):
        if byte:
            wire.append(byte)
        else:
            wire[code_at] = len(wire) - code_at
            code_at = len(wire)
            wire.append(0)
    wire[code_at] = len(wire) - code_at
    wire.append(0)
    return bytes(wire)


class Receiver:
    """Takes single bytes, and returns the bodies of valid frames without their CRC."""

    def __init__(self):
        self.broken = 0
        self._restart()

    def _restart(self):
        self._body = bytearray()
        self._left = 0
        self._zero = False
        self._begun = False
        self._bad = False

    def take(self, byte):
        """Take a byte. Returns the body if it ends a valid frame, otherwise None."""
        if byte == 0:
            body, begun, good = self._body, self._begun, not self._bad and self._left == 0
            self._restart()
            if good and len(body) >= 4 and crc16(body[:-2]) == body[-2] | body[-1] << 8:
                return bytes(body[:-2])
            if begun and self.broken < 0xFFFF:
                self.broken += 1
            return None
        self._begun = True
        if self._bad:
            return None
        if self._left == 0:
            if self._zero:
                self._append(0)
            self._left = byte - 1
            self._zero = byte != 0xFF
        else:
            self._append(byte)
            self._left -= 1
        return None

    def _append(self, byte):
        if len(self._body) == MOST_BODY:
            self._bad = True
        else:
            self._body.append(byte)

"""Under which addresses and names this unit is reached in its own network. IPv4 only: home networks have it.

The kernel is asked by `ioctl`, because the service may not open netlink sockets (`systemd/companion.service`).
"""

from __future__ import annotations

import fcntl
import ipaddress
import re
import socket
import struct

_SIOCGIFCONF = 0x8912
_ROOM = 64
"""Interfaces that are looked at."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def own_addresses() -> tuple[str, ...]:
    """The IPv4 addresses of this machine in private networks, without loopback; empty without a network."""
    entry = struct.calcsize("16s16s") if struct.calcsize("P") == 4 else struct.calcsize("16s24s")
    room = bytearray(entry * _ROOM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        address = _address_of(room)
        request = struct.pack("iP", len(room), address)
        try:
            length = struct.unpack("iP", fcntl.ioctl(asking, _SIOCGIFCONF, request))[0]
        except OSError:
            return ()
    found = [socket.inet_ntoa(bytes(room[at + 20 : at + 24])) for at in range(0, length, entry)]
    return tuple(dict.fromkeys(one for one in found if is_near(one) and not one.startswith("127.")))


def own_names() -> tuple[str, ...]:
    """Names by which telephones may find it: `momo.local`."""
    name = socket.gethostname().partition(".")[0].casefold()
    return (f"{name}.local",) if _NAME.fullmatch(name) and name != "localhost" else ()


def is_near(address: str) -> bool:
    """Whether a peer with this address is on this machine or in a private network."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_loopback or found.is_link_local or (found.is_private and not found.is_unspecified)


def _address_of(room: bytearray) -> int:
    import ctypes

    return ctypes.addressof((ctypes.c_char * len(room)).from_buffer(room))

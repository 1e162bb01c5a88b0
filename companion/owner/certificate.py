"""The unit's own certificate: an EC key (P-256) that never leaves the unit, signed by itself, for its addresses.

It is made when the page is opened for the first time, by the program `openssl`, which every Debian has (ca-certificates
needs it): no library stays in memory for something that happens once. A new one is made when the addresses have
changed; the key stays, so that the fingerprint of the key that a telephone may have kept does not change. Blocks for
some tenths of a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from companion.child_environment import child_environment
from companion.errors import DeviceError
from companion.storage import PRIVATE, ensure_private_folder, read_own_file, write_atomically

FOLDER = "owner-page"
DAYS = 397
"""Longer ones are refused by telephones."""
_RENEW_S = 30 * 86400.0
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of it, and what people compare."""

    certificate: Path
    key: Path
    fingerprint: str
    """SHA-256 of the certificate, in pairs of hexadecimal digits."""


def certificate_for(folder: Path, addresses: Sequence[str], names: Sequence[str]) -> Certificate:
    """The unit's certificate in `folder` of the state folder. Raises `DeviceError` where none can be made."""
    place = folder / FOLDER
    key, file, about = place / "key.pem", place / "certificate.pem", place / "certificate.json"
    wanted = {"addresses": sorted(addresses), "names": sorted(names)}
    try:
        ensure_private_folder(place)
        if not _holds(about, wanted) or read_own_file(file, 65536) is None or read_own_file(key, 65536) is None:
            if read_own_file(key, 65536) is None:
                pem = _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
                write_atomically(key, pem, PRIVATE)
            write_atomically(file, _sign(key, addresses, names), PRIVATE)
            write_atomically(about, json.dumps(wanted | {"made": time.time()}).encode(), PRIVATE)
        text = file.read_text("ascii")
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest().upper()
    except (OSError, ValueError) as error:
        raise DeviceError(f"{place}: the certificate of the owner's page cannot be made: {error}.") from error
    return Certificate(file, key, ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)))


def _holds(about: Path, wanted: dict[str, list[str]]) -> bool:
    try:
        kept = json.loads(read_own_file(about, 65536) or b"{}")
        age = time.time() - float(kept["made"])
        return {name: kept[name] for name in wanted} == wanted and age < DAYS * 86400 - _RENEW_S
    except (ValueError, KeyError, TypeError):
        return False


def _sign(key: Path, addresses: Sequence[str], names: Sequence[str]) -> bytes:
    called = [f"IP:{one}" for one in ("127.0.0.1", *addresses)] + [f"DNS:{one}" for one in ("localhost", *names)]
    extensions = (
        f"subjectAltName={','.join(called)}",
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=serverAuth",
    )
    added = [word for one in extensions for word in ("-addext", one)]
    return _openssl("req", "-x509", "-new", "-key", str(key), "-sha256", "-days", str(DAYS), "-subj",
                    f"/CN=companion {(names or ('',))[0]}".rstrip(), *added)  # fmt: skip


def _openssl(*words: str) -> bytes:
    try:
        done = subprocess.run(
            ["openssl", *words],
            env={**child_environment(), "OPENSSL_CONF": os.devnull},
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise DeviceError("The owner's page needs the program openssl: sudo apt install openssl.") from error
    except subprocess.TimeoutExpired as error:
        raise DeviceError("openssl did not make a certificate in time; try once more.") from error
    if done.returncode != 0:
        said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing said"])[-1]
        raise DeviceError(f"openssl could not make a certificate for the owner's page: {said[:200]}")
    return done.stdout

"""The Debian packages of an offline kit, with all their dependencies on a bare Debian.

apt resolves the dependencies in folders of its own: this machine's package system is neither read nor changed, and root
is not needed. Only what Debian calls essential or required, and apt itself, is assumed to be installed. So the kit has
slightly more than most units need, and the unit's own apt takes only what is missing.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from companion.errors import CompanionError
from studio.kit.wheels import Target, sha256_of

MIRROR = "http://deb.debian.org"
ARCHITECTURES = {"aarch64": "arm64", "x86_64": "amd64"}
_RELEASES = {"3.11": "bookworm", "3.13": "trixie"}
"""The Debian release with this Python."""

_BASE = ("apt", "?priority(required)", "?essential")


def read_names(text: str) -> tuple[str, ...]:
    """The package names of a list: one a line, `#` begins a comment. Raises `CompanionError`."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    names = tuple(sorted({line for line in lines if line}))
    wrong = [name for name in names if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name)]
    if wrong:
        raise CompanionError(f"{wrong[0]!r} is no name of a Debian package.")
    return names


@dataclass(frozen=True, slots=True)
class PackageArchive:
    """A Debian archive, read by an apt of its own in `scratch`."""

    target: Target
    scratch: Path
    mirror: str = MIRROR

    def fetch(self, names: Sequence[str], into: Path) -> None:
        """Download packages and their dependencies to a folder. Needs a network. Raises `CompanionError`."""
        release = _RELEASES.get(self.target.python)
        if release is None:
            raise CompanionError(f"No Debian comes with Python {self.target.python}: give the packages with --debs.")
        for tool in ("apt-get", "apt-cache"):
            if shutil.which(tool) is None:
                raise CompanionError(
                    f"{tool} is missing here: make the kit on Debian, or give the packages with --debs."
                )
        self._prepare(release)
        self._apt("update")
        base = _parse_simulated_install(self._apt("install", "--simulate", *_BASE))
        shown = self._apt("show", *(f"{name}={version}" for name, version in base))
        (self.scratch / "status").write_text(_dpkg_status(shown), "utf-8")
        self._apt("install", "--download-only", *names)
        for file in sorted((self.scratch / "cache/archives").glob("*.deb")):
            shutil.copyfile(file, into / file.name.replace("%3a", "-"))

    def _prepare(self, release: str) -> None:
        for folder in ("lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/apt.conf.d"):
            (self.scratch / folder).mkdir(parents=True, exist_ok=True)
        (self.scratch / "status").write_text("", "utf-8")
        key = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
        signed = f" signed-by={key}" if key.is_file() else ""
        places = [("debian", release), ("debian", f"{release}-updates"), ("debian-security", f"{release}-security")]
        lines = [f"deb [arch={self._architecture}{signed}] {self.mirror}/{path} {suite} main" for path, suite in places]
        (self.scratch / "sources.list").write_text("\n".join(lines) + "\n", "utf-8")

    @property
    def _architecture(self) -> str:
        return ARCHITECTURES[self.target.machine]

    def _apt(self, command: str, *arguments: str) -> str:
        here = self.scratch
        settings = {
            "APT::Architecture": self._architecture,
            "APT::Architectures": self._architecture,
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "",
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Debug::NoLocking": "true",
            "Dir::Cache": f"{here}/cache",
            "Dir::Etc": f"{here}/etc",
            "Dir::Etc::sourcelist": f"{here}/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": f"{here}",
            "Dir::State::lists": f"{here}/lists",
            "Dir::State::status": f"{here}/status",
        }
        options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        tool = "apt-cache" if command == "show" else "apt-get"
        line = [tool, *options, *(() if tool == "apt-cache" else ("-y", "-q")), command, *arguments]
        # The output is parsed, so its language must be fixed.
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "APT_CONFIG": "/dev/null"}
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = [one for one in done.stderr.splitlines() if one.startswith(("E:", "Err:"))] or ["nothing"]
            raise CompanionError(
                "The Debian packages could not be fetched; see that there is a network, or give a folder with --debs. "
                f"apt says: {' '.join(said[-3:])[:500]}"
            )
        return done.stdout


def write_index(debs: Path) -> None:
    """Write `Packages.gz`, so that apt can install from the folder. Raises `CompanionError`.

    Needs `dpkg-deb` unless the folder is empty.
    """
    stanzas = []
    for file in sorted(debs.glob("*.deb")):
        try:
            done = subprocess.run(["dpkg-deb", "-f", file], capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise CompanionError("dpkg-deb is missing here: make the kit on Debian.") from error
        if done.returncode or not done.stdout.startswith("Package:"):
            raise CompanionError(f"{file.name} is no Debian package, or a damaged one: fetch it again.")
        lines = [f"Filename: ./{file.name}", f"Size: {file.stat().st_size}", f"SHA256: {sha256_of(file)}"]
        stanzas.append("\n".join([done.stdout.rstrip(), *lines, ""]))
    # Without a time stamp, so that the same packages give the same file.
    (debs / "Packages.gz").write_bytes(gzip.compress("\n".join(stanzas).encode(), mtime=0))


def _parse_simulated_install(simulated: str) -> list[tuple[str, str]]:
    """Name and version of each package that `apt-get --simulate install` would install."""
    return re.findall(r"^Inst (\S+) \((\S+) ", simulated, re.MULTILINE)


def _dpkg_status(shown: str) -> str:
    """The output of `apt-cache show` in the form of dpkg's list of installed packages."""
    left_out = ("Filename:", "Size:", "MD5sum:", "SHA256:", "SHA512:", "Description")
    stanzas = []
    for stanza in shown.strip().split("\n\n"):
        lines = [line for line in stanza.splitlines() if not line.startswith((*left_out, " "))]
        stanzas.append("\n".join([*lines, "Status: install ok installed", "Description: none", ""]))
    return "\n".join(stanzas)


def copy_debs(source: Path, into: Path, target: Target) -> None:
    """Copy the packages of a folder. Raises `CompanionError` for one that was built for another machine."""
    architecture = ARCHITECTURES[target.machine]
    for file in sorted(source.glob("*.deb")):
        if not file.stem.endswith((f"_{architecture}", "_all")):
            raise CompanionError(f"{file.name} is not made for {architecture}: take it out of {source}.")
        shutil.copyfile(file, into / file.name)

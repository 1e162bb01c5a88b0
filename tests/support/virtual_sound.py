"""A sound card for tests: a private PulseAudio daemon that ALSA, and so PortAudio, sees as the only one.

Sink `spk` is the loudspeaker and `spk.monitor` what comes out of it; what is played into sink `mic_in` is heard by the
microphone `mic`. PortAudio reads its environment once, so the code under test runs in a child process with
`VirtualSound.environment`. Nothing of the user's own sound settings is read or changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

RATE = 48_000
_START_S = 10.0
_PLUGIN = "libasound_module_pcm_pulse.so"


def why_not() -> str | None:
    """What is missing for a virtual sound card; None when nothing is."""
    for program, package in (
        ("pulseaudio", "pulseaudio"),
        ("parec", "pulseaudio-utils"),
        ("pactl", "pulseaudio-utils"),
    ):
        if shutil.which(program) is None:
            return f"{program} is not installed (apt install {package})"
    if not any(Path("/usr/lib").glob(f"*/alsa-lib/{_PLUGIN}")):
        return "ALSA's pulse plug-in is not installed (apt install libasound2-plugins)"
    return None


class VirtualSound:
    """One daemon, which keeps its files in `folder`. `start` and `stop` may be called again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._socket = folder / "native"
        self._daemon: subprocess.Popen[bytes] | None = None
        for name in ("run", "state", "home"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "asound.conf").write_text(self._alsa(), encoding="utf-8")
        (folder / "daemon.pa").write_text(self._modules(), encoding="utf-8")
        (folder / "client.conf").write_text("autospawn = no\nenable-shm = no\n", encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """For programs that are to use this sound card."""
        return {
            **os.environ,
            "HOME": str(self.folder / "home"),
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_CLIENTCONFIG": str(self.folder / "client.conf"),
            "ALSA_CONFIG_PATH": str(self.folder / "asound.conf"),
        }

    def start(self) -> None:
        """Return when the card is there."""
        own = {
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "PULSE_RUNTIME_PATH": str(self.folder / "run"),
            "PULSE_STATE_PATH": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "home"),
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",
        }
        with (self.folder / "log").open("wb") as log:
            self._daemon = subprocess.Popen(
                ["pulseaudio", "-n", "-F", self.folder / "daemon.pa", "--daemonize=no", "--exit-idle-time=-1",
                 "--use-pid-file=no", "--disable-shm=yes", "--high-priority=no", "--realtime=no"],
                env={**self.environment, **own}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        give_up = time.monotonic() + _START_S
        while not self._answers():
            if self._daemon.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"pulseaudio did not start: {(self.folder / 'log').read_text(errors='replace')}")
            time.sleep(0.05)

    def stop(self, *, suddenly: bool = False) -> None:
        """End the daemon; `suddenly` as if the card's cable were pulled."""
        daemon, self._daemon = self._daemon, None
        if daemon is None:
            return
        if suddenly:
            daemon.kill()
        else:
            daemon.terminate()
        try:
            daemon.wait(5)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        self._socket.unlink(missing_ok=True)

    def player(self, wav: Path) -> subprocess.Popen[bytes]:
        """Play a WAV to the microphone."""
        return subprocess.Popen(["paplay", "-d", "mic_in", str(wav)], env=self.environment)

    def recorder(self) -> subprocess.Popen[bytes]:
        """What comes out of the loudspeaker: 16-bit mono at `RATE` on its stdout."""
        return subprocess.Popen(
            ["parec", "-d", "spk.monitor", "--raw", "--format=s16le", "--channels=1", f"--rate={RATE}",
             "--latency-msec=5"],
            env=self.environment, stdout=subprocess.PIPE,
        )  # fmt: skip

    def _answers(self) -> bool:
        asked = subprocess.run(["pactl", "info"], env=self.environment, capture_output=True, check=False)
        return asked.returncode == 0

    def _modules(self) -> str:
        """Without norewinds a null sink's monitor is heard at a fraction of its rate."""
        mono = "channels=1 channel_map=mono"
        return (
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={self._socket}\n"
            f"load-module module-null-sink sink_name=spk norewinds=1 rate={RATE} {mono}\n"
            f"load-module module-null-sink sink_name=mic_in norewinds=1 rate={RATE} {mono}\n"
            f"load-module module-remap-source source_name=mic master=mic_in.monitor {mono}\n"
            "set-default-sink spk\nset-default-source mic\n"
        )

    def _alsa(self) -> str:
        """A whole ALSA configuration with no other device in it, so that none is probed."""
        there = f'type pulse server "unix:{self._socket}"'
        lines = [
            f"pcm.{name} {{ {there} hint {{ show on description {name[-5:]} }} }}" for name in ("pulse", "!default")
        ]
        return "\n".join([*lines, f"ctl.pulse {{ {there} }}", f"ctl.!default {{ {there} }}", ""])

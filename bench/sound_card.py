"""A private sound card for measurements: PulseAudio with one two-channel null sink.

What a program plays goes to the right channel, what is played into its microphone goes to the left one, so one
recording of both holds the two on the same clock, sample by sample. Needs pulseaudio, pulseaudio-utils and
libasound2-plugins. No kernel driver, nothing of the user's own settings is touched.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

RATE = 48_000
_STARTS_WITHIN_S = 10.0

_PULSE = """
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native
load-module module-null-sink sink_name=card norewinds=1 rate=48000 channels=2 channel_map=front-left,front-right
load-module module-remap-sink sink_name=spk master=card channels=1 channel_map=mono \
master_channel_map=front-right remix=no
load-module module-remap-sink sink_name=mic_in master=card channels=1 channel_map=mono \
master_channel_map=front-left remix=no
load-module module-remap-source source_name=mic master=card.monitor channels=1 channel_map=mono \
master_channel_map=front-left remix=no
set-default-sink spk
set-default-source mic
"""

_ALSA = """
pcm.pulse {{ type pulse server "unix:{folder}/native" hint {{ show on description "PulseAudio" }} }}
ctl.pulse {{ type pulse server "unix:{folder}/native" }}
pcm.!default {{ type pulse server "unix:{folder}/native" hint {{ show on description "Default" }} }}
ctl.!default {{ type pulse server "unix:{folder}/native" }}
"""


class VirtualCard:
    """Use as a context manager; `environment` is for the programs that shall see this card only."""

    def __enter__(self) -> VirtualCard:
        self._folder = tempfile.TemporaryDirectory(prefix="companion-bench-")
        folder = Path(self._folder.name)
        (folder / "default.pa").write_text(_PULSE.format(folder=folder))
        (folder / "asound.conf").write_text(_ALSA.format(folder=folder))
        (folder / "client.conf").write_text("autospawn = no\nenable-shm = no\n")
        private = {name: str(folder) for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "PULSE_STATE_PATH")}
        self.environment = {
            **os.environ,
            "PULSE_SERVER": f"unix:{folder}/native",
            "PULSE_CLIENTCONFIG": str(folder / "client.conf"),
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
        }
        command = ["pulseaudio", "-n", "-F", str(folder / "default.pa"), "--daemonize=no", "--exit-idle-time=-1"]
        command += ["--use-pid-file=no", "--disable-shm=yes", "--realtime=no", "--high-priority=no"]
        self._daemon = subprocess.Popen(
            command, env={**self.environment, **private}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while subprocess.run(["pactl", "info"], env=self.environment, capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError("pulseaudio did not start")
            time.sleep(0.05)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._daemon.terminate()
        self._daemon.wait()
        self._folder.cleanup()

    def play(self, wav: Path) -> subprocess.Popen[bytes]:
        """Play a WAV into the microphone."""
        return subprocess.Popen(["paplay", "-d", "mic_in", str(wav)], env=self.environment)

    def record(self, into: Path) -> subprocess.Popen[bytes]:
        """Record both channels as raw 16-bit stereo at `RATE`."""
        command = ["parec", "-d", "card.monitor", "--format=s16le", f"--rate={RATE}", "--channels=2"]
        command += ["--channel-map=front-left,front-right", "--latency-msec=20"]
        return subprocess.Popen(command, env=self.environment, stdout=into.open("wb"))


def channels(raw: Path) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """What the microphone heard and what the loudspeaker played, on one clock."""
    sound = np.fromfile(raw, "<i2")
    pairs = sound[: len(sound) // 2 * 2].reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]

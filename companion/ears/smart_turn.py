"""Smart Turn v3 (pipecat-ai/smart-turn, BSD-2-Clause): a small Whisper encoder that judges by sound whether a turn is
over. An example of a model of the ends of turns; off unless the device file names it.

It takes the last 8 s of a turn, filled up with silence in front, as Whisper's features: the logarithm of 80 mel bands,
every 10 ms. Needs onnxruntime, which the voice engine piper brings, and the model's file (9 MB). One call takes about
80 ms on a desktop processor, 150 ms and more on a board, in a thread.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import EngineUnavailable
from companion.events import EAR_RATE

SECONDS = 8
MELS = 80
_WINDOW = 400
_HOP = 160
_FULL_SCALE = 32768.0


class SmartTurn:
    """Satisfies `ports.TurnModel`."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._filters = mel_filters()

    def is_over(self, pcm: bytes, words: str) -> float:  # noqa: ARG002  # it judges by sound alone
        """See `ports.TurnModel`."""
        features = log_mel(pcm, self._filters)
        [probability] = self._session.run(None, {"input_features": features[np.newaxis]})
        return float(probability.ravel()[0])


def mel_filters() -> NDArray[np.float64]:
    """Slaney's triangular mel bands of equal area up to 8 kHz: one row a band, one column a frequency of the FFT."""
    top = _mel(EAR_RATE / 2)
    edges = np.array([_hertz(mel) for mel in np.linspace(0.0, top, MELS + 2)])
    frequencies = np.linspace(0.0, EAR_RATE / 2, _WINDOW // 2 + 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    triangles: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (high - low)
    return triangles


def log_mel(pcm: bytes, filters: NDArray[np.float64]) -> NDArray[np.float32]:
    """Whisper's features of the last 8 s of 16-bit sound at 16 kHz: 80 bands of 800 steps of 10 ms."""
    size = SECONDS * EAR_RATE
    heard = np.frombuffer(pcm, "<i2")[-size:] / _FULL_SCALE
    sound = np.concatenate([np.zeros(size - len(heard)), heard])
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    padded = np.pad(sound, _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][: size // _HOP]
    hann = np.hanning(_WINDOW + 1)[:-1]
    power = np.abs(np.fft.rfft(windows * hann)) ** 2
    logarithm = np.log10(np.maximum(filters @ power.T, 1e-10))
    features: NDArray[np.float32] = ((np.maximum(logarithm, logarithm.max() - 8) + 4) / 4).astype(np.float32)
    return features


def _mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + np.log(hertz / 1000) * 27 / np.log(6.4)


def _hertz(mel: float) -> float:
    return mel * 200 / 3 if mel < 15 else 1000 * np.exp((mel - 15) * np.log(6.4) / 27)


def check(device: Device, persona: Persona) -> None:  # noqa: ARG001 - the shape of every check
    """Raise `EngineUnavailable` where the library or the model's file is missing."""
    path = device.ears.endpoint.turn_model_file
    if path is None:
        raise EngineUnavailable(
            "the turn model smart-turn needs its file: name smart-turn-v3.2-cpu.onnx as ears.endpoint.turn_model_file"
        )
    if not path.is_file():
        raise EngineUnavailable(f"{path}: the file of the turn model smart-turn is not there; fetch it, or remove it")
    if importlib.util.find_spec("onnxruntime") is None:
        raise EngineUnavailable("the turn model smart-turn needs the package onnxruntime: pip install onnxruntime")


def build(device: Device, persona: Persona) -> SmartTurn:
    """Load the model. Raises `EngineUnavailable`."""
    check(device, persona)
    path = device.ears.endpoint.turn_model_file
    # As in `voice.synthesizer_piper`: otherwise it reports to its maker over the network.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime  # type: ignore[import-untyped]  # ships no types
        from onnxruntime.capi import onnxruntime_pybind11_state as state  # type: ignore[import-untyped]
    except (ImportError, OSError) as error:
        raise EngineUnavailable(
            f"the turn model smart-turn needs the package onnxruntime, which fails: {error}"
        ) from error
    try:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (OSError, RuntimeError, ValueError, state.Fail, state.InvalidProtobuf, state.InvalidGraph) as error:
        raise EngineUnavailable(f"{path}: the turn model smart-turn cannot be loaded; fetch the file again") from error
    if [one.name for one in session.get_inputs()] != ["input_features"]:
        raise EngineUnavailable(f"{path}: is no Smart Turn v3; name smart-turn-v3.2-cpu.onnx")
    return SmartTurn(session)

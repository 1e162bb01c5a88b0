"""Sound to speech embeddings: the two frozen networks inside the wheel pyopen-wakeword (Google's, Apache-2.0).

16 kHz sound -> 32 mel bands every 10 ms -> 96 numbers every 80 ms, each of which tells what was said in the last
775 ms. The wheel's own TensorFlow Lite library runs them; its Python code is not used, because it works through 8 s of
zeros at each reset and gives one embedding at a time, where several at once cost a third.

The mel network cuts off what is 80 dB below the loudest of a piece, so the same sound gives other numbers in other
pieces. `MEL_FLOOR` is above that for every sound but the loudest, and below a quiet room.
"""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from companion.errors import EngineUnavailable, SpeechError

Numbers = NDArray[np.float32]

PACKAGE = "pyopen_wakeword"
SIZE = 96
STEP = 1280
"""Samples from one embedding to the next."""
_MEL_LOOK_BACK = 480
"""Samples before a step that its first mel frame needs."""
_WINDOW, _HOP = 76, 8
"""Mel frames that one embedding sees, and those from one to the next."""
_MEL_BANDS = 32
MEL_FLOOR = 26.0
"""In dB of the mel network; noise of 10 units of 16 bits has 25."""
SPAN = (_WINDOW - 1) * 160 + 400
"""Samples that one embedding sees."""

NOT_LOADED = (
    "the wake word engine 'embedding' cannot be loaded: install the package pyopen-wakeword for this processor, or "
    "choose a ready-made word with ears.wake.word"
)


class Network:
    """A TensorFlow Lite network with one input and one output; the input's shape may change between calls."""

    def __init__(self, library: ctypes.CDLL, path: Path) -> None:
        """Raises `EngineUnavailable`."""
        self._library = library
        model = library.TfLiteModelCreateFromFile(str(path).encode())
        options = library.TfLiteInterpreterOptionsCreate()
        library.TfLiteInterpreterOptionsSetNumThreads(ctypes.c_void_p(options), ctypes.c_int32(1))
        made = model and library.TfLiteInterpreterCreate(ctypes.c_void_p(model), ctypes.c_void_p(options))
        if not made:
            raise EngineUnavailable(f"{NOT_LOADED} ({path.name} is damaged)")
        self._interpreter = ctypes.c_void_p(made)
        self._shape: tuple[int, ...] | None = None

    def __call__(self, values: Numbers) -> Numbers:
        """The network's output for this input. Raises `SpeechError`."""
        library = self._library
        if values.shape != self._shape:
            self._shape = None
            sides = (ctypes.c_int32 * values.ndim)(*values.shape)
            self._must(library.TfLiteInterpreterResizeInputTensor(self._interpreter, 0, sides, values.ndim))
            self._must(library.TfLiteInterpreterAllocateTensors(self._interpreter))
            self._input = ctypes.c_void_p(library.TfLiteInterpreterGetInputTensor(self._interpreter, 0))
            self._output = ctypes.c_void_p(library.TfLiteInterpreterGetOutputTensor(self._interpreter, 0))
            sizes = range(library.TfLiteTensorNumDims(self._output))
            self._result = [library.TfLiteTensorDim(self._output, side) for side in sizes]
            self._shape = values.shape
        given = np.ascontiguousarray(values, np.float32)
        result = np.empty(self._result, np.float32)
        self._must(library.TfLiteTensorCopyFromBuffer(self._input, _address(given), ctypes.c_size_t(given.nbytes)))
        self._must(library.TfLiteInterpreterInvoke(self._interpreter))
        self._must(library.TfLiteTensorCopyToBuffer(self._output, _address(result), ctypes.c_size_t(result.nbytes)))
        return result

    @staticmethod
    def _must(status: int) -> None:
        if status:
            raise SpeechError(f"the speech embeddings of the wake word failed (TensorFlow Lite, status {status})")


def _address(values: Numbers) -> ctypes.c_void_p:
    return values.ctypes.data_as(ctypes.c_void_p)


class Networks:
    """Both networks. Costs some 20 MB of memory, once however many words there are."""

    def __init__(self) -> None:
        """Raises `EngineUnavailable` where the package is not installed."""
        folder = package_folder()
        if folder is None:
            raise EngineUnavailable(NOT_LOADED)
        try:
            library = ctypes.CDLL(str(next((folder / "lib").glob("*tensorflowlite_c.*"))))
        except (OSError, StopIteration) as error:
            raise EngineUnavailable(f"{NOT_LOADED} ({error})") from error
        for name in (
            *("ModelCreateFromFile", "InterpreterCreate", "InterpreterOptionsCreate"),
            *("InterpreterGetInputTensor", "InterpreterGetOutputTensor"),
        ):
            getattr(library, f"TfLite{name}").restype = ctypes.c_void_p
        self._mel = Network(library, folder / "models" / "melspectrogram.tflite")
        self._embed = Network(library, folder / "models" / "embedding_model.tflite")

    def mels(self, samples: Numbers) -> Numbers:
        """Mel frames (frames, 32) of `samples` (in units of 16 bits), one for each 160 of them after the first 240."""
        frames = self._mel(samples[None]).reshape(-1, _MEL_BANDS)
        floored: Numbers = (np.maximum(frames, MEL_FLOOR) / 10 + 2).astype(np.float32)
        return floored

    def embed(self, mels: Numbers) -> Numbers:
        """Embeddings (n, 96) of at least 76 mel frames, one for each 8 of them after the first 68."""
        return self._embed(mels[None, :, :, None]).reshape(-1, SIZE)

    def of(self, samples: Numbers) -> Numbers:
        """All embeddings (n, 96) of a piece of sound, as `SpeechEmbeddings` gives them. Embedding `i` ends with sample
        `i * STEP + SPAN`."""
        steps = (len(samples) - _MEL_LOOK_BACK) // STEP
        if steps * _HOP < _WINDOW:
            return np.zeros((0, SIZE), np.float32)
        mels = self.mels(samples[: steps * STEP + _MEL_LOOK_BACK].astype(np.float32))
        # In pieces, since a long input takes memory.
        count = (len(mels) - _WINDOW) // _HOP + 1
        most = 96
        found = [
            self.embed(mels[at * _HOP : (min(at + most, count) - 1) * _HOP + _WINDOW]) for at in range(0, count, most)
        ]
        return np.concatenate(found)


class SpeechEmbeddings:
    """The embeddings of a stream."""

    def __init__(self, networks: Networks, steps: int = 2) -> None:
        """`steps`: of 80 ms, that are worked through at once; two cost a third less each than one."""
        self._networks = networks
        self._steps = steps
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far."""
        self._sound = np.zeros(0, np.float32)
        self._mels = np.zeros((0, _MEL_BANDS), np.float32)

    def feed(self, pcm: bytes) -> Numbers:
        """Take sound of any length; the embeddings (n, 96) that it completes. Raises `SpeechError`."""
        self._sound = np.concatenate([self._sound, np.frombuffer(pcm, "<i2").astype(np.float32)])
        whole = (len(self._sound) - _MEL_LOOK_BACK) // STEP // self._steps * self._steps
        if whole < 1:
            return np.zeros((0, SIZE), np.float32)
        mels = self._networks.mels(self._sound[: whole * STEP + _MEL_LOOK_BACK])
        self._sound = self._sound[whole * STEP :]
        self._mels = np.concatenate([self._mels, mels])
        count = (len(self._mels) - _WINDOW) // _HOP + 1
        if count < 1:
            return np.zeros((0, SIZE), np.float32)
        found = self._networks.embed(self._mels[: (count - 1) * _HOP + _WINDOW])
        self._mels = self._mels[count * _HOP :]
        return found


def package_folder() -> Path | None:
    """Where the wheel pyopen-wakeword is installed; None where it is not. Its code is not imported."""
    found = importlib.util.find_spec(PACKAGE)
    return None if found is None or found.origin is None else Path(found.origin).parent

"""The head: a small network over the last embeddings. Was that the word?

    window (context * 96) -> standardised -> principal directions -> hidden layer, several times -> mean of the logits

The directions keep what differs between sounds at all, and make a file a third as large and quick to train further.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]


class Head:
    """Reads the arrays `mean`, `scale`, `directions`, and `w1`, `b1`, `w2`, `b2` of all its networks stacked."""

    def __init__(self, arrays: Mapping[str, Numbers], context: int) -> None:
        """Raises `ValueError` where an array is missing or their shapes do not fit."""
        try:
            mean, scale, directions = arrays["mean"], arrays["scale"], arrays["directions"]
            w1, b1, w2, b2 = arrays["w1"], arrays["b1"], arrays["w2"], arrays["b2"]
        except KeyError as error:
            raise ValueError(f"there is no {error.args[0]}") from error
        size, kept = context * 96, directions.shape[-1] if directions.ndim else 0
        nets, _, hidden = w1.shape if w1.ndim == 3 else (0, 0, 0)
        shapes = [one.shape for one in (mean, scale, directions, w1, b1, w2, b2)]
        fitting = [(size,), (size,), (size, kept), (nets, kept, hidden), (nets, hidden), (nets, hidden), (nets,)]
        if shapes != fitting or nets < 1 or not (scale > 0).all():
            raise ValueError("the arrays do not fit each other")
        self.context = context
        self._directions = (directions / scale[:, None]).astype(np.float32)
        self._offset = (mean @ self._directions).astype(np.float32)
        # All networks side by side are one.
        self._w1 = np.concatenate(list(w1), axis=1)
        self._b1 = b1.reshape(-1)
        self._w2 = w2.reshape(-1) / nets
        self._b2 = float(b2.mean())

    def project(self, windows: Numbers) -> Numbers:
        """Windows (n, context * 96) in the principal directions (n, kept)."""
        return windows @ self._directions - self._offset

    def logits(self, windows: Numbers) -> Numbers:
        """One number for each of the windows (n, context * 96)."""
        return self.of_projected(self.project(windows))

    def of_projected(self, projected: Numbers) -> Numbers:
        """The same for windows in the principal directions (n, kept)."""
        hidden = np.maximum(projected @ self._w1 + self._b1, 0)
        logits: Numbers = hidden @ self._w2 + self._b2
        return logits


def windows(embeddings: Numbers, context: int) -> Numbers:
    """Every window (n, context * 96) of `context` embeddings in a row of these (m, 96)."""
    if len(embeddings) < context:
        return np.zeros((0, context * embeddings.shape[1]), np.float32)
    view = np.lib.stride_tricks.sliding_window_view(embeddings, context, axis=0)
    return view.transpose(0, 2, 1).reshape(len(view), -1)

"""A wake word of one's own, read from a `.ww` file (`companion.config.word_file`).

embeddings    sound to speech embeddings, a frame at a time
head          a small network over the last embeddings: was that the word?
second_look   pocketsphinx, asked about what the head took for the word
detector      the engine that brings them together
"""

from companion.ears.wake_custom.detector import build, check

__all__ = ["build", "check"]

"""A wake word of one's own, read from a `.ww` file (`companion.config.word_file`).

embeddings    sound to speech embeddings, a frame at a time
head          a small network over the last embeddings: was that the word?
second_look   pocketsphinx, asked about what the head took for the word
detector      the engine that brings them together
learning      training of a head, and its refinement
recordings    where the word stands in a recording, and whether it is fit to learn from
copies        noisy copies of recordings
enrolment     a word learns how its owner calls it
"""

from companion.ears.wake_custom.detector import build, check

__all__ = ["build", "check"]

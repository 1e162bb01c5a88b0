"""What a wake word misses before and after it was enrolled with ten recordings, at one false alarm an hour.

    .venv/bin/python -m bench.wake_enrolment FILE.ww POSITIVES NEGATIVES [--splits 4] [--enrolled 10]

Two folders of recordings (FLAC or WAV, read by sox): of the word, each of somebody else, and of other talk. Ten of the
first are learnt from, as the owner's, and the others tried: a hard test, since an owner sounds like themselves. The
recordings to learn from are those that the unit would take. The threshold is set on the negatives, each heard at seven
speeds and pitches; of the head alone, without the second look.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from companion.config.word_file import WordFile, read
from companion.ears.wake_custom.embeddings import Networks
from companion.ears.wake_custom.enrolment import check, enrolled
from companion.ears.wake_custom.head import Head, windows
from companion.ears.wake_custom.recordings import Finder, Samples, fault
from companion.events import EAR_RATE

Numbers = NDArray[np.float32]

_EFFECTS = ((), ("speed", "0.88"), ("speed", "1.12"), ("pitch", "150"), ("pitch", "-150"), ("tempo", "0.85"),
            ("tempo", "1.15"))  # fmt: skip
_NOISE_DB = 10.0
_REFRACTORY = 12
"""Embeddings around a false alarm that count as the same one."""


def recording(path: Path, effect: Sequence[str] = ()) -> Samples:
    """A file at `EAR_RATE`."""
    command = ["sox", str(path), "-r", str(EAR_RATE), "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-", *effect]
    done = subprocess.run([*command, *(("rate", str(EAR_RATE)) if effect else ())], capture_output=True, check=True)
    return np.frombuffer(done.stdout, "<i2")


def in_room(samples: Samples, random: np.random.Generator, noise: Sequence[Samples] = ()) -> Numbers:
    """With a quiet room around it, and a babble of `noise` at 10 dB below the word where there is one."""
    sound = np.pad(samples.astype(np.float32), (2 * EAR_RATE, EAR_RATE))
    if noise:
        babble = np.zeros(len(sound), np.float32)
        for _ in range(6):
            voice = noise[int(random.integers(len(noise)))].astype(np.float32)
            babble += np.resize(np.roll(voice, int(random.integers(len(voice)))), len(sound)) / (voice.std() + 1)
        frames = samples[: len(samples) // 320 * 320].reshape(-1, 320).astype(np.float32)
        power = (frames**2).mean(1)
        level = np.sqrt(power[power > power.max() * 1e-3].mean())
        sound += babble / babble.std() * level * 10 ** (-_NOISE_DB / 20)
    return np.clip(sound + random.normal(0, 15, len(sound)), -32_768, 32_767).astype(np.float32)


def peaks(logits: Numbers, least: float) -> Iterator[float]:
    """The highest logit of each thing that was taken for the word, from `least` on."""
    left = logits.copy()
    while len(left) and left[best := int(left.argmax())] >= least:
        yield float(left[best])
        left[max(0, best - _REFRACTORY) : best + _REFRACTORY + 1] = -1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("file", type=Path)
    parser.add_argument("positives", type=Path)
    parser.add_argument("negatives", type=Path)
    parser.add_argument("--splits", type=int, default=4)
    parser.add_argument("--enrolled", type=int, default=10)
    asked = parser.parse_args()
    word, networks, random = read(asked.file), Networks(), np.random.default_rng(5)
    head = check(word, str(asked.file))

    def heard(sound: Numbers) -> Numbers:
        return head.project(windows(networks.of(sound), head.context)).astype(np.float16)

    positives = sorted(one for one in asked.positives.rglob("*") if one.suffix in (".flac", ".wav"))
    said = [recording(path) for path in positives]
    others = sorted(
        one
        for one in asked.negatives.rglob("*")
        if one.suffix in (".flac", ".wav") and word.phrase.split()[0] not in one.name and one not in positives
    )
    talk = [recording(path) for path in others]
    negatives, hours = [], 0.0
    for path in others:
        for effect in _EFFECTS:
            samples = recording(path, effect)
            hours += len(samples) / EAR_RATE / 3600
            negatives.append(heard(in_room(samples, random)))
    tried = {
        "clean": [heard(in_room(samples, random)) for samples in said],
        "noise": [heard(in_room(samples, random, talk)) for samples in said],
    }
    finder = Finder(head, networks, word.card.seconds)
    fit = [at for at, one in enumerate(said) if fault(one, finder.find(one), word.arrays["word"], []) is None]

    def misses(of: WordFile, without: Sequence[int]) -> dict[str, float]:
        now = Head(of.arrays, of.card.context)
        logits = [now.of_projected(piece.astype(np.float32)) for piece in negatives]
        least = float(np.percentile(np.concatenate(logits), 99))
        alarms = sorted(one for piece in logits for one in peaks(piece, least))
        threshold = alarms[-1 - max(1, round(hours))]
        own = sum(one > of.card.threshold_alone for one in alarms) / hours
        found = {"false_alarms_at_own_threshold": own}
        for name, sounds in tried.items():
            best = [
                now.of_projected(one.astype(np.float32)).max() for at, one in enumerate(sounds) if at not in without
            ]
            found[name] = 100 * float(np.mean(np.array(best) <= threshold))
            found[f"{name}_at_own_threshold"] = 100 * float(np.mean(np.array(best) <= of.card.threshold_alone))
        return found

    before, after, spent = misses(word, ()), [], []
    for split in range(asked.splits):
        chosen = np.random.default_rng([77, split]).permutation(fit)[: asked.enrolled]
        began = time.process_time()
        learnt = enrolled(word, [said[at] for at in chosen], networks=networks, seed=split + 1)
        spent.append(time.process_time() - began)
        after.append(misses(learnt, list(chosen)))
    print(f"{word.phrase}: {len(said)} people ({len(fit)} fit to learn from), {hours:.1f} h of other talk")
    print(f"{'':10s}" + "".join(f"{name:>32s}" for name in before))
    mean = {name: float(np.mean([one[name] for one in after])) for name in before}
    for label, found in (("before", before), ("after", mean)):
        print(f"{label:10s}" + "".join(f"{value:32.1f}" for value in found.values()))
    print(json.dumps({"before": before, "after": mean, "each": after, "cpu_s": float(np.mean(spent))}))


if __name__ == "__main__":
    main()

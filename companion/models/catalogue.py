"""The models that can be fetched, and where each stands once it is there.

The list is `catalogue.toml`; a manufacturer can give another of the same form. Nothing here is fetched.

    FOLDER/vosk/NAME/...              a Vosk model, unpacked
    FOLDER/piper/NAME.onnx(.json)     a Piper voice
    FOLDER/checksums/NAME.sha256      what each file was when it was fetched
    FOLDER/parts/...                  downloads that are not whole yet
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from companion.errors import ConfigError, EngineUnavailable
from companion.languages.language import find_language
from companion.storage import state_folder

Kind = Literal["vosk", "piper"]

CATALOGUE = Path(__file__).with_name("catalogue.toml")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file to fetch."""

    address: str
    size: int | None = None
    """Bytes; None where it is not published."""
    sha256: str | None = None
    md5: str | None = None
    """Published by makers who give no better one: against damage, not against malice."""

    @property
    def name(self) -> str:
        """The file's own name, at the end of its address."""
        return urlsplit(self.address).path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Model:
    """One model or voice."""

    name: str
    kind: Kind
    language: str
    licence: str
    memory_mb: int
    """What it takes when it is loaded: an estimate."""
    files: tuple[ModelFile, ...]
    note: str = ""

    @property
    def size(self) -> int | None:
        """Bytes to fetch; None where any of them is not published."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def place(self, folder: Path) -> Path:
        """Where it stands once it is there: a Vosk model's folder, a voice's `.onnx` file."""
        return folder / "vosk" / self.name if self.kind == "vosk" else folder / "piper" / f"{self.name}.onnx"

    def is_installed(self, folder: Path) -> bool:
        """Whether it is there and whole: it gets its name only then."""
        place = self.place(folder)
        return place.is_dir() if self.kind == "vosk" else place.is_file() and Path(f"{place}.json").is_file()

    def device_lines(self, folder: Path) -> str:
        """How a device file names it."""
        table = "ears.transcriber" if self.kind == "vosk" else "voice"
        return f'[{table}]\nmodel = "{self.place(folder)}"'


def read_catalogue(path: Path = CATALOGUE) -> tuple[Model, ...]:
    """The models of a catalogue file, the preferred ones first. Raises `ConfigError` with one sentence."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))["model"]
        models = tuple(map(_model, tables))
    except OSError as error:
        raise ConfigError(f"{path}: -: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: -: is no catalogue of models: {error}") from error
    if len({model.name for model in models}) < len(models):
        raise ConfigError(f"{path}: model: two models have the same name")
    return models


def find_model(models: tuple[Model, ...], name: str) -> Model:
    """The model of that name. Raises `EngineUnavailable`, with the nearest name."""
    for model in models:
        if model.name == name:
            return model
    near = get_close_matches(name, [model.name for model in models], 1, 0.4)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise EngineUnavailable(f"There is no model called {name}.{hint} `companion models list` shows them all.")


def models_folder() -> Path:
    """Where models are kept when no other folder is named. Raises `EngineUnavailable` for a user without a home."""
    try:
        return state_folder() / "models"
    except RuntimeError as error:
        raise EngineUnavailable("This user has no home folder: name one with --folder.") from error


def installed(kind: Kind, language: str, folder: Path | None = None) -> Path | None:
    """The fetched model of a kind that understands or speaks a language; None where there is none.

    A Vosk model's folder, or a Piper voice's `.onnx` file. Of several the first of the catalogue counts, then any other
    that stands there with a name of the usual form.
    """
    place = folder or models_folder()
    models = read_catalogue()
    for model in models:
        if model.kind == kind and model.language == language and model.is_installed(place):
            return model.place(place)
    for found in sorted(place.glob("vosk/*/" if kind == "vosk" else "piper/*.onnx")):
        known = found.name.removesuffix(".onnx") in {model.name for model in models}
        if not known and _language_of(found.name, kind) == language:
            return found
    return None


def _language_of(name: str, kind: Kind) -> str | None:
    found = re.match(r"vosk-model-(?:small-)?([a-z]{2})\b" if kind == "vosk" else r"([a-z]{2})_[A-Z]{2}-", name)
    if found is None:
        return None
    known = find_language(found[1])
    return found[1] if known is None else known.code


def _model(table: dict[str, Any]) -> Model:
    files = tuple(ModelFile(**one) for one in table.pop("file"))
    model = Model(**table, files=files)
    if not re.fullmatch(r"[\w.-]+", model.name) or model.name.startswith(".") or model.kind not in ("vosk", "piper"):
        raise ValueError(f"{model.name} is no name of a model, or its kind is neither vosk nor piper")
    expected = 1 if model.kind == "vosk" else 2
    for file in files:
        plain = re.fullmatch(r"[\w.-]+", file.name) and not file.name.startswith(".")
        if urlsplit(file.address).scheme not in ("https", "http") or not plain or len(files) != expected:
            raise ValueError(f"{model.name}: its files or their addresses cannot be right")
        if file.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", file.sha256):
            raise ValueError(f"{model.name}: sha256 is no SHA-256")
    return model

"""The models that can be downloaded, and where each is installed.

The list is `catalogue.toml`; a manufacturer can use another one of the same form. Nothing is downloaded here.

    FOLDER/vosk/NAME/...              a Vosk model, unpacked
    FOLDER/piper/NAME.onnx(.json)     a Piper voice
    FOLDER/checksums/NAME.sha256      checksum of each file when it was downloaded
    FOLDER/parts/...                  incomplete downloads
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from companion.errors import ConfigError, EngineUnavailable
from companion.languages.language import find_language, language
from companion.languages.loader import language_codes
from companion.storage import state_folder
from companion.toml_file import parse_toml, read_toml_text

Kind = Literal["vosk", "piper"]

CATALOGUE = Path(__file__).with_name("catalogue.toml")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file to download."""

    address: str
    size: int | None = None
    """Bytes; None where it is not published."""
    sha256: str | None = None
    md5: str | None = None
    """For publishers that give nothing better. It protects against damage, not against tampering."""

    @property
    def name(self) -> str:
        """The file name at the end of the address."""
        return urlsplit(self.address).path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Model:
    """One model or voice."""

    name: str
    kind: Kind
    language: str
    licence: str
    memory_mb: int
    """Estimated memory when it is loaded."""
    files: tuple[ModelFile, ...]
    note: str = ""

    @property
    def size(self) -> int | None:
        """Bytes to download; None where the size of any file is not published."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def installed_path(self, folder: Path) -> Path:
        """Where it is installed: a Vosk model's folder, a voice's `.onnx` file."""
        return folder / "vosk" / self.name if self.kind == "vosk" else folder / "piper" / f"{self.name}.onnx"

    def is_installed(self, folder: Path) -> bool:
        """Whether it is installed. It only gets its final name when it is complete."""
        path = self.installed_path(folder)
        return path.is_dir() if self.kind == "vosk" else path.is_file() and Path(f"{path}.json").is_file()

    def device_lines(self, folder: Path) -> str:
        """The lines of a device file that select it."""
        table = "ears.transcriber" if self.kind == "vosk" else "voice"
        return f'[{table}]\nmodel = "{self.installed_path(folder)}"'


def read_catalogue(path: Path = CATALOGUE) -> tuple[Model, ...]:
    """Read a catalogue; preferred models come first. Raises `ConfigError` with one sentence."""
    try:
        tables = parse_toml(read_toml_text(path))["model"]
        models = tuple(map(_model, tables))
    except OSError as error:
        raise ConfigError(f"{path}: -: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: -: is no catalogue of models: {error}") from error
    if len({model.name for model in models}) < len(models):
        raise ConfigError(f"{path}: model: two models have the same name")
    return models


def find_model(models: tuple[Model, ...], name: str) -> Model:
    """The model with this name. Raises `EngineUnavailable`, with the nearest name."""
    for model in models:
        if model.name == name:
            return model
    near = get_close_matches(name, [model.name for model in models], 1, 0.4)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise EngineUnavailable(f"There is no model called {name}.{hint} `companion models list` shows them all.")


def models_of(models: tuple[Model, ...], name: str) -> tuple[Model, ...]:
    """The model with this name; for a language (`de`, `pt-BR`, `German`) those that `auto` takes, one of each kind.

    Raises `EngineUnavailable`, with the nearest name.
    """
    wanted = _language_called(name)
    if wanted is None:
        return (find_model(models, name),)
    recommended: dict[str, Model] = {}
    for model in models:
        if model.language == wanted:
            recommended.setdefault(model.kind, model)
    if not recommended:
        there = ", ".join(sorted({model.language for model in models}))
        raise EngineUnavailable(f"There are no models of the language {name}; there are some of {there}.")
    return tuple(recommended.values())


def _language_called(name: str) -> str | None:
    """The code of the language that a person calls so; None for what is no code and no known name."""
    for known_code in language_codes():
        if name.casefold() in language(known_code).general.also_called:
            return known_code
    code = re.fullmatch(r"([a-z]{2,3})(?:[-_][a-z]{2,4})?", name.casefold())
    if code is None:
        return None
    known = find_language(code[1])
    return code[1] if known is None else known.code


def models_folder() -> Path:
    """The default folder of models. Raises `EngineUnavailable` for a user without a home folder."""
    try:
        return state_folder() / "models"
    except RuntimeError as error:
        raise EngineUnavailable("This user has no home folder: name one with --folder.") from error


def find_installed(kind: Kind, language: str, folder: Path | None = None) -> Path | None:
    """An installed model of this kind and language: a Vosk model's folder or a Piper voice's `.onnx` file.

    Of several, the first in the catalogue is taken, then any other with a name of the usual form. None where there is
    none.
    """
    root = folder or models_folder()
    models = read_catalogue()
    for model in models:
        if model.kind == kind and model.language == language and model.is_installed(root):
            return model.installed_path(root)
    for found in sorted(root.glob("vosk/*/" if kind == "vosk" else "piper/*.onnx")):
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

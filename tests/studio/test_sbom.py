"""The list of what others made (CycloneDX): complete, the same each time, and in every kit."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from companion.errors import CompanionError
from studio.kit.sbom import sbom_of_kit, sbom_of_project
from studio.kit.wheels import Target, read_lock, requirements_for, sha256_of
from tests.support.paths import ROOT


def components(text: str) -> dict[str, dict[str, Any]]:
    tree = json.loads(text)
    assert (tree["bomFormat"], tree["specVersion"]) == ("CycloneDX", "1.6")
    assert tree["metadata"]["component"]["name"] == "companion"
    found = {one["name"]: one for one in tree["components"]}
    assert len(found) == len(tree["components"])
    # What the product depends on is all of it.
    (depends,) = [one["dependsOn"] for one in tree["dependencies"] if one["ref"] == "companion"] or [[]]
    assert set(depends) == {one["bom-ref"] for one in tree["components"] if "bom-ref" in one}
    return found


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    for part in ("wheels", "debs", "models/piper"):
        (tmp_path / part).mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "wheels/Some_Thing-1.2-py3-none-any.whl", "w") as wheel:
        about = "Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.2\nLicense-Expression: MIT\n\nText\n"
        wheel.writestr("some_thing-1.2.dist-info/METADATA", about)
    (tmp_path / "debs/libatomic1_12.2.0-14+deb12u1_arm64.deb").write_bytes(b"deb")
    (tmp_path / "debs/libspeex1_1-1.2.1-2_arm64.deb").write_bytes(b"other")
    (tmp_path / "models/piper/en_US-joe-medium.onnx").write_bytes(b"voice")
    return tmp_path


def test_a_kit_s_list_names_all_that_lies_in_it(kit: Path) -> None:
    found = components(sbom_of_kit(kit))
    assert set(found) == {"some-thing", "libatomic1", "libspeex1", "en_US-joe-medium.onnx"}
    thing, library = found["some-thing"], found["libspeex1"]
    assert thing["purl"] == "pkg:pypi/some-thing@1.2"
    assert thing["licenses"] == [{"license": {"id": "MIT"}}]
    assert thing["hashes"] == [{"alg": "SHA-256", "content": sha256_of(kit / "wheels/Some_Thing-1.2-py3-none-any.whl")}]
    assert (library["version"], found["libatomic1"]["version"]) == ("1:1.2.1-2", "12.2.0-14+deb12u1")


def test_the_same_kit_gives_the_same_list_and_another_one_another(kit: Path) -> None:
    before = sbom_of_kit(kit)
    assert sbom_of_kit(kit) == before
    (kit / "models/piper/en_US-joe-medium.onnx").write_bytes(b"another voice")
    assert json.loads(sbom_of_kit(kit))["serialNumber"] != json.loads(before)["serialNumber"]


def test_a_damaged_wheel_is_named(kit: Path) -> None:
    (kit / "wheels/broken-1-py3-none-any.whl").write_bytes(b"no zip file")
    with pytest.raises(CompanionError, match=r"broken-1-py3-none-any\.whl is no wheel"):
        sbom_of_kit(kit)


def test_the_project_s_list_holds_every_locked_package() -> None:
    found = components(sbom_of_project())
    lock = requirements_for(read_lock((ROOT / "requirements.lock").read_text("utf-8")), Target("aarch64", "3.11"))
    for one in lock:
        assert found[one.name]["version"] == one.version
    debian = (ROOT / "image/packages/image.lock").read_text("utf-8").splitlines()
    names = {line.split()[0] for line in debian if line and not line.startswith("#")}
    assert names <= set(found)
    assert {"espeak-ng", "vosk"} <= set(found)

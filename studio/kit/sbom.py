"""The list of everything in a product that others made (SBOM, CycloneDX 1.6, JSON), with versions, licences and hashes.

A kit's list tells what lies in it: wheels, Debian packages, models. `make sbom` writes that of the locked versions, the
whole image included, and needs neither a network nor a kit. The same input gives the same bytes: the serial number is
made from the content, and there is no time in it. Blocks; used by commands only.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from companion import __version__
from companion.errors import CompanionError
from studio.kit.wheels import Requirement, Target, read_lock, requirements_for, sha256_of

FILE = "sbom.json"
PROJECT = Path(__file__).resolve().parents[2]

_DEB = re.compile(r"(?P<name>[^_]+)_(?P<version>[^_]+)_(?P<architecture>[^_]+)\.deb")
_NAMESPACE = uuid.UUID("0b5f7a62-54cf-4f0e-9d3e-6f2f6d0c7a11")


def sbom_of_kit(folder: Path) -> str:
    """The list of what lies in the folder of a kit. Raises `CompanionError` for a wheel that cannot be read."""
    components = [_of_wheel(wheel) for wheel in sorted((folder / "wheels").glob("*.whl"))]
    for deb in sorted((folder / "debs").glob("*.deb")):
        if (named := _DEB.fullmatch(deb.name)) is not None:
            # apt writes the colon of a version as %3a, and the kit that as a hyphen.
            version = re.sub(r"^(\d+)-(?=.*-)", r"\1:", named["version"])
            components.append(_debian(named["name"], version, named["architecture"], sha256_of(deb)))
    for model in sorted(one for one in (folder / "models").glob("*/*") if one.parent.name != "checksums"):
        hashes = [_sha256(sha256_of(model))] if model.is_file() else []
        ref = f"model:{model.parent.name}/{model.name}"
        components.append(
            Component(name=model.name, type=ComponentType.MACHINE_LEARNING_MODEL, bom_ref=ref, hashes=hashes)
        )
    return _written("kit", components)


def sbom_of_project(project: Path = PROJECT, machine: str = "aarch64", python: str = "3.11") -> str:
    """The list of the locked versions: Python packages of a unit, and every Debian package of the image.

    Raises `CompanionError` for a lock file that cannot be read.
    """
    lock = read_lock((project / "requirements.lock").read_text("utf-8"))
    components = [_of_requirement(one) for one in requirements_for(lock, Target(machine, python))]
    for line in (project / "image/packages/image.lock").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, version, architecture = line.split()
            components.append(_debian(name, version, architecture))
    return _written("image", components)


def _written(what: str, components: Iterable[Component]) -> str:
    product = Component(
        name="companion",
        type=ComponentType.APPLICATION,
        version=__version__,
        bom_ref="companion",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
        properties=[Property(name="companion:list-of", value=what)],
    )
    bom = Bom(components=components)
    bom.metadata.component = product
    bom.register_dependency(product, bom.components)
    tree = json.loads(JsonV1Dot6(bom).output_as_string())
    # Both would differ each time; a number made from the content names the same list.
    tree["metadata"].pop("timestamp", None)
    tree.pop("serialNumber", None)
    content = json.dumps(tree, sort_keys=True)
    tree["serialNumber"] = f"urn:uuid:{uuid.uuid5(_NAMESPACE, content)}"
    return json.dumps(tree, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _of_wheel(wheel: Path) -> Component:
    try:
        with zipfile.ZipFile(wheel) as opened:
            name = next(one for one in opened.namelist() if one.endswith(".dist-info/METADATA"))
            about = HeaderParser().parsestr(opened.read(name).decode("utf-8", "replace"))
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        raise CompanionError(f"{wheel.name} is no wheel, or a damaged one: fetch it again.") from error
    return _python(about["Name"], about["Version"], [_sha256(sha256_of(wheel))], _licences(about))


def _of_requirement(one: Requirement) -> Component:
    try:
        found = metadata.metadata(one.name)
    except metadata.PackageNotFoundError:
        # It is for another processor than this one.
        return _python(one.name, one.version, map(_sha256, sorted(one.hashes)), [])
    return _python(one.name, one.version, map(_sha256, sorted(one.hashes)), _licences(found))


def _python(name: str, version: str, hashes: Iterable[HashType], licences: list[License]) -> Component:
    named = re.sub(r"[-_.]+", "-", name).lower()
    purl = PackageURL("pypi", name=named, version=version)
    return Component(
        name=named,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        hashes=hashes,
        licenses=licences,
    )


def _debian(name: str, version: str, architecture: str, sha256: str | None = None) -> Component:
    purl = PackageURL("deb", "debian", name, version, {"arch": architecture})
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        hashes=[] if sha256 is None else [_sha256(sha256)],
    )


def _licences(about: Message | metadata.PackageMetadata) -> list[License]:
    """What the package's metadata says; a licence's whole text is none of its names."""
    said = [one for key in ("License-Expression", "License") for one in about.get_all(key, ())]
    names = [one for one in said if "\n" not in one and one != "UNKNOWN"] or list(_classified(about))
    return [LicenseFactory().make_from_string(name) for name in names[:1]]


def _classified(about: Message | metadata.PackageMetadata) -> Iterator[str]:
    for line in about.get_all("Classifier", ()):
        if line.startswith("License ::"):
            yield line.rpartition("::")[2].strip()


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def main() -> None:
    """`python -m studio.kit.sbom FILE`: write the list of the locked versions."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m studio.kit.sbom FILE")
    Path(sys.argv[1]).write_text(sbom_of_project(), "utf-8")


if __name__ == "__main__":
    main()

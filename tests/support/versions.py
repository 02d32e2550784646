"""The product under another version: a copy of its sources in which two numbers are others.

older = another_version(folder, "0.0.9", SCHEMA_VERSION - 1)
OperatorProcess(…, sources=older)
build_image(…, another_context(folder, "0.0.9", SCHEMA_VERSION - 1), "operator", tag, {})
"""

import shutil
from pathlib import Path

from tests.cluster.images import ROOT, sources
from trimtab_api.versions import SCHEMA_VERSION, VERSION

PACKAGES = ("crds/trimtab_api", "operator/trimtab_operator", "jobs/trimtab_jobs")
OWN = {
    'VERSION = version("trimtab")': 'VERSION = "{}"',
    f"SCHEMA_VERSION = {SCHEMA_VERSION}": "SCHEMA_VERSION = {}",
}


def another_version(folder: Path, version: str, schema_version: int) -> Path:
    """The folder, with a copy of each package that says it is of these versions; it goes first."""
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / Path(package).name, ignore=ignored)
    say_versions(folder / "trimtab_api/versions.py", version, schema_version)
    return folder


def another_context(folder: Path, version: str, schema_version: int) -> Path:
    """The folder, with a copy of what images are built of, which says that it is of these versions."""
    for source in sources(ROOT):
        copy = folder / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    say_versions(folder / "crds/trimtab_api/versions.py", version, schema_version)
    return folder


def say_versions(file: Path, version: str, schema_version: int) -> None:
    assert version != VERSION
    text = file.read_text()
    for (before, after), value in zip(OWN.items(), (version, schema_version), strict=True):
        assert before in text
        text = text.replace(before, after.format(value))
    file.write_text(text)

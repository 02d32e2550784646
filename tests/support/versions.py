"""The product under another version: a copy of its sources in which two numbers are others.

older = another_version(folder, "0.0.9", SCHEMA_VERSION - 1)
OperatorProcess(…, sources=older)
"""

import shutil
from pathlib import Path

from trimtab_api.versions import SCHEMA_VERSION, VERSION

ROOT = Path(__file__).parents[2]
PACKAGES = ("crds/trimtab_api", "operator/trimtab_operator", "jobs/trimtab_jobs")
OWN = {
    'VERSION = version("trimtab")': 'VERSION = "{}"',
    f"SCHEMA_VERSION = {SCHEMA_VERSION}": "SCHEMA_VERSION = {}",
}


def another_version(folder: Path, version: str, schema_version: int) -> Path:
    """The folder, with a copy of each package that says it is of these versions; it goes first."""
    assert version != VERSION
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / Path(package).name, ignore=ignored)
    file = folder / "trimtab_api/versions.py"
    text = file.read_text()
    for (before, after), value in zip(OWN.items(), (version, schema_version), strict=True):
        assert before in text
        text = text.replace(before, after.format(value))
    file.write_text(text)
    return folder

"""Bills of materials from real packages: what an image's lock installs here, with licences and hashes."""

import re
from pathlib import Path

from helm.images import bill_of
from tests.cluster.images import ROOT


def test_bill_of_the_operators_image_names_every_package_with_licences_and_hashes(tmp_path: Path) -> None:
    lock = ROOT / "requirements/operator.txt"

    bill = bill_of("registry.example.org/trimtab-operator:0.1.0", lock, tmp_path)

    image = bill["metadata"]["component"]
    assert (image["type"], image["name"], image["version"]) == ("container", "trimtab-operator", "0.1.0")
    assert all(each["licenses"] for each in bill["components"])
    assert hashes_of(bill) == locked_hashes(lock.read_text())
    assert str(tmp_path) not in str(bill)


def hashes_of(bill: dict) -> dict[str, set[str]]:
    """Each package's hashes."""
    return {
        re.sub("[_.]", "-", each["name"]).lower(): {
            digest["content"]
            for reference in each["externalReferences"]
            for digest in reference.get("hashes", [])
        }
        for each in bill["components"]
    }


def locked_hashes(lock: str) -> dict[str, set[str]]:
    """The same of a lock, but for what only other systems need."""
    here = [block for block in re.split(r"\n(?=\S)", lock) if "win32" not in block]
    return {re.match(r"[\w-]+", block)[0]: set(re.findall(r"sha256:(\w+)", block)) for block in here}

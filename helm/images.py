"""python helm/images.py FOLDER: what a site without the internet needs to know of the images.

Writes `images.txt`, a line for each image that runs where neither the chart's values nor a profile name
another, and `NAME.cdx.json` for each: a CycloneDX bill of its Python packages, with licences and hashes.
A bill is read from the lock, and from the packages themselves in an environment made for it and thrown away.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from trimtab_operator.settings import Settings

ROOT = Path(__file__).parents[1]
UV = Path(sys.prefix) / "uv/bin/uv"
"""Where the Makefile puts it."""
BILLS = (sys.executable, "-W", "ignore:The Component this BOM", "-m", "cyclonedx_py")
"""A lock does not say what needs what, which is warned of; an environment does."""
DESCRIBED = ("--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--output-file", "-")
LOCKS = {"trimtab-operator": "operator", "trimtab-worker": "worker"}
"""By an image's name, the file in requirements/ of what is installed in it."""
Document = dict[str, Any]


def image_names() -> Iterator[str]:
    """The operator's image by the chart's own values, and that of the Ray pods by the operator's settings."""
    chart, values = (
        yaml.safe_load((ROOT / "helm/trimtab" / name).read_text()) for name in ("Chart.yaml", "values.yaml")
    )
    yield f"{values['image']['repository']}:{chart['appVersion']}"
    yield Settings.model_fields["worker_image"].default


def bill_of(image: str, lock: Path, folder: Path) -> Document:
    """The bill of an image: what the lock installs on this kind of machine, below the image itself.

    The environment lies in `folder`, so that a disk that also has uv's cache holds each file once.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        run(str(UV), "venv", "--quiet", "--python", sys.executable, place)
        install = ("pip", "install", "--quiet", "--no-deps", "--require-hashes", "--no-build")
        run(str(UV), *install, "--python", place, "--requirements", str(lock))
        bill: Document = json.loads(run(*BILLS, "environment", *DESCRIBED, place))
    pinned: Document = json.loads(run(*BILLS, "requirements", *DESCRIBED, str(lock)))
    name, _, version = image.rpartition("/")[2].partition(":")
    bill["metadata"]["component"] |= {"type": "container", "name": name, "version": version}
    return with_hashes(bill, pinned)


def with_hashes(bill: Document, pinned: Document) -> Document:
    """A bill whose packages also have the references of the lock's bill, which say their files' hashes."""
    references = {key_of(each): each["externalReferences"] for each in pinned["components"]}
    components = [
        each | {"externalReferences": [*each.get("externalReferences", []), *references[key_of(each)]]}
        for each in bill["components"]
    ]
    return bill | {"components": components}


def key_of(component: Document) -> str:
    """A package's address, the same however its name is written."""
    return str(component["purl"]).lower().replace("_", "-")


def run(*command: str) -> str:
    """What a command prints; this ends where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} exited with {done.returncode}: its messages are above")
    return done.stdout


def main() -> None:
    """Write the files, and print a line for each bill."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    names = list(image_names())
    (folder / "images.txt").write_text("".join(f"{name}\n" for name in names))
    for image in names:
        name = image.rpartition("/")[2].partition(":")[0]
        bill = bill_of(image, ROOT / f"requirements/{LOCKS[name]}.txt", folder)
        (folder / f"{name}.cdx.json").write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n")
        unknown = [each["name"] for each in bill["components"] if not each.get("licenses")]
        print(
            f"{image}: {len(bill['components'])} packages, {len(unknown)} whose metadata name no licence",
            *unknown,
        )


if __name__ == "__main__":
    main()

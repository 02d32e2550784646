"""The Dockerfile against the tree: what it copies, installs and says is there, pinned and of this version."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from helm.images import image_names, with_hashes
from tests.cluster.images import ROOT, copies, digests, index_secrets

DOCKERFILE = (ROOT / "Dockerfile").read_text()
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]
LOCKS = ("build", "operator", "worker")
locks = pytest.mark.parametrize("lock", LOCKS)
HEAVY = {"numpy", "onnx", "onnxruntime", "optuna", "ray", "torch"}
"""What the operator does without."""


def blocks(lock: str) -> list[str]:
    """Each requirement of a lock with its hashes."""
    text = (ROOT / f"requirements/{lock}.txt").read_text()
    return re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))


def pins(lock: str) -> dict[str, str]:
    """Name to version."""
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", "\n".join(blocks(lock)), re.MULTILINE)
    return dict(found)


@locks
def test_every_requirement_has_one_version_and_hashes(lock: str) -> None:
    for block in blocks(lock):
        assert re.match(r"[\w.-]+==\S+", block), block
        assert "--hash=sha256:" in block, block


@pytest.mark.parametrize(("lock", "extras"), [("operator", ["operator"]), ("worker", ["jobs", "cluster"])])
def test_images_have_the_versions_of_pyproject(lock: str, extras: list[str]) -> None:
    wanted = PYPROJECT["project"]["dependencies"] + [each for extra in extras for each in EXTRAS[extra]]

    for each in wanted:
        name, _, version = each.partition("==")
        assert pins(lock)[re.sub(r"\[.*\]", "", name)] == version


@locks
def test_images_have_the_versions_that_are_tested(lock: str) -> None:
    tested = pins("dev")
    assert {name: tested[name] for name in pins(lock) if name in tested}.items() <= pins(lock).items()


def test_operator_needs_nothing_heavy() -> None:
    assert HEAVY.isdisjoint(pins("operator"))


def test_labels_and_tools_say_the_versions_of_the_tree() -> None:
    makefile = re.search(r"^UV_VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert f'image.version="{PYPROJECT["project"]["version"]}"' in DOCKERFILE
    assert f'image.licenses="{PYPROJECT["project"]["license"]}"' in DOCKERFILE
    assert makefile is not None
    assert pins("build")["uv"] == makefile[1]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    allowed = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines()}
    for source in (word for line in copies(DOCKERFILE) for word in line):
        assert (ROOT / source).exists(), source
        assert source in allowed or f"{Path(source).parent}/*.txt" in allowed, source


def test_nothing_is_taken_from_elsewhere() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    names = {name for _, name in stages}

    assert len(stages) == len(re.findall(r"^FROM", DOCKERFILE, re.MULTILINE))
    assert {base for base, _ in stages} <= {"${BASE}", *names}
    assert set(re.findall(r"--from=(\S+)", DOCKERFILE)) <= names
    assert not re.search(r"^ADD|^# *syntax=", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("target", ["operator", "worker"])
def test_image_runs_as_a_user_without_rights_and_is_tried_as_that_user(target: str) -> None:
    stage = DOCKERFILE.split(f" AS {target}\n")[1].split("\nFROM")[0]

    assert re.search(r"^USER 1000:1000\nRUN .*python", stage, re.MULTILINE)


def test_key_of_an_image_follows_the_code_and_the_locks_but_not_the_tests() -> None:
    read = {path for path, _ in digests(ROOT)}

    assert {"Dockerfile", ".dockerignore", "requirements/worker.txt", "jobs/trimtab_jobs/__main__.py"} <= read
    assert not any(path.startswith(("tests/", "docs/")) or "__pycache__" in path for path in read)


def test_index_of_this_machine_is_told_to_pip_and_uv() -> None:
    settings = {
        "index-url": ["https://index.example/simple"],
        "extra-index-url": ["https://more.example/simple"],
        "trusted-host": ["index.example"],
        "find-links": ["https://wheels.example", "/not/in/an/image"],
    }

    secrets = index_secrets(settings)

    assert secrets["pip.conf"].splitlines() == [
        "[global]",
        "index-url = https://index.example/simple",
        "extra-index-url = https://more.example/simple",
        "trusted-host = index.example",
        "find-links = https://wheels.example",
    ]
    assert tomllib.loads(secrets["uv.toml"]) == {
        "find-links": ["https://wheels.example"],
        "allow-insecure-host": ["index.example"],
        "index": [
            {"url": "https://more.example/simple", "default": False},
            {"url": "https://index.example/simple", "default": True},
        ],
    }


def test_no_index_is_told_where_this_machine_has_none_of_its_own() -> None:
    assert "index" not in tomllib.loads(index_secrets({})["uv.toml"])


def test_listed_are_the_images_that_the_chart_and_jobs_run_by_default() -> None:
    rendered = (ROOT / "tests/chart/golden/default.yaml").read_text()
    operator, worker = image_names()

    assert re.findall(r"image: (.+)", rendered) == [operator]
    assert worker == f"trimtab-worker:{PYPROJECT['project']['version']}"


def test_bill_has_the_hashes_of_the_lock_however_a_name_is_written() -> None:
    website = {"type": "website", "url": "https://yaml.example"}
    bill = {"components": [{"purl": "pkg:pypi/Py_YAML@6.0", "externalReferences": [website]}]}
    files = [{"type": "distribution", "hashes": [{"alg": "SHA-256", "content": "0" * 64}]}]
    pinned = {"components": [{"purl": "pkg:pypi/py-yaml@6.0", "externalReferences": files}]}

    assert with_hashes(bill, pinned)["components"][0]["externalReferences"] == [website, *files]

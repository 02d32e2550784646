"""Servers are built once per version, whole or not at all; a stand-in for Go shows it in no time."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster.programs import PROGRAMS, UnavailableError, build_program, find_program

GO = """\
#!/bin/sh
if [ "$1" = env ]; then echo "$FAKE_GO_VERSION"; exit 0; fi
if [ "$1" = list ]; then echo "$FAKE_GO_MODULE"; exit 0; fi
echo built >> "$FAKE_GO_LOG"
while [ "$1" != -o ]; do shift; done
echo half > "$2"
exit "$FAKE_GO_EXIT"
"""


@pytest.fixture
def go_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Go and an empty cache; the file gets one line per build."""
    (tmp_path / "go").write_text(GO)
    (tmp_path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TRIMTAB_TEST_PROGRAMS", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKE_GO_VERSION", "go1.26.8")
    monkeypatch.setenv("FAKE_GO_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("FAKE_GO_EXIT", "0")
    return tmp_path / "log"


def test_sessions_that_build_at_the_same_time_build_once(go_log: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(build_program, ["etcd"] * 4))

    assert go_log.read_text() == "built\n"
    assert paths == {find_program("etcd")}


def test_failed_build_leaves_no_program(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_EXIT", "1")

    with pytest.raises(UnavailableError, match=r"etcd v3\.6\.13 could not be built"):
        build_program("etcd")

    assert [path.name for path in PROGRAMS["etcd"].path.parent.iterdir()] == [".etcd.lock"]


def test_definitions_of_a_module_are_kept_beside_its_program(
    go_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GO_MODULE", str(tmp_path / "module"))
    (tmp_path / "module/config/crd/bases").mkdir(parents=True)
    (tmp_path / "module/config/crd/bases/ray.io_rayjobs.yaml").write_text("kind: CustomResourceDefinition")

    kept = build_program("kuberay-operator").parent / "crds"

    assert [path.read_text() for path in kept.iterdir()] == ["kind: CustomResourceDefinition"]


def test_program_that_is_not_built_names_the_command(go_log: Path) -> None:
    with pytest.raises(UnavailableError, match=r"^etcd v3\.6\.13 is not built: run `make test-deps`$"):
        find_program("etcd")


@pytest.mark.parametrize(
    ("version", "message"),
    [
        pytest.param("go1.24.9", "Go 1.24 is too old: install Go 1.26 (at least 1.25)", id="too-old"),
        pytest.param("", "Go was not found: install Go 1.26", id="absent"),
    ],
)
def test_go_that_cannot_build_is_named_with_the_fix(
    go_log: Path, monkeypatch: pytest.MonkeyPatch, version: str, message: str
) -> None:
    monkeypatch.setenv("FAKE_GO_VERSION", version)
    if not version:
        monkeypatch.setenv("PATH", str(go_log.parent / "nothing"))

    with pytest.raises(UnavailableError, match=re.escape(f"{message}, then run `make test-deps`")):
        build_program("etcd")


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_is_a_tool_of_its_module_or_our_own_and_pinned(name: str) -> None:
    program = PROGRAMS[name]
    folder = Path(__file__).parents[1] / "cluster" / "modules" / program.folder

    assert re.search(
        rf"^(tool |module |\t){re.escape(program.package)}$", (folder / "go.mod").read_text(), re.MULTILINE
    )
    assert f"{program.module} {program.version} h1:" in (folder / "go.sum").read_text()

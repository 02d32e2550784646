"""The servers that tests run against, built from pinned Go modules.

Each module has a folder under `modules/` whose go.mod and go.sum pin it and everything below it, so no
binary is downloaded and none depends on what a distribution ships. Binaries are kept outside the tree, by
module and version, and shared by every checkout on the machine. A further program of a module that is
already here is one more `tool` in its go.mod (`go get -tool PACKAGE@VERSION`) and one more line in
PROGRAMS. A program of our own has its main.go in the folder, on top of the module that it shows.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
MINIMUM_GO = (1, 25)


class UnavailableError(RuntimeError):
    """A program cannot be had here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program: the folder under `modules/`, the Go module that gives it its version, its package.

    `definitions` is the module's folder of CustomResourceDefinitions, kept beside the program.
    """

    name: str
    folder: str
    module: str
    package: str
    definitions: str | None = None

    @property
    def version(self) -> str:
        """The module's version in go.mod, read without Go."""
        text = (MODULES / self.folder / "go.mod").read_text()
        found = re.search(rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if found is None:
            raise UnavailableError(f"modules/{self.folder}/go.mod does not require {self.module}")
        return found.group(1)

    @property
    def path(self) -> Path:
        """Where the built program is kept; one of our own also by what its source says."""
        source = MODULES / self.folder / "main.go"
        digest = f"-{hashlib.sha256(source.read_bytes()).hexdigest()[:8]}" if source.exists() else ""
        return cache_folder() / f"{self.folder}-{self.version}{digest}" / self.name

    @property
    def definitions_path(self) -> Path:
        """Where the module's CustomResourceDefinitions are kept once the program is built."""
        return self.path.parent / "crds"


KUBERNETES, KUBERAY = "k8s.io/kubernetes", "github.com/ray-project/kuberay/ray-operator"
VERSITYGW, HELM = "github.com/versity/versitygw", "helm.sh/helm/v3"
PROGRAMS = {
    program.name: program
    for program in (
        Program("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
        *(
            Program(name, "kubernetes", KUBERNETES, f"{KUBERNETES}/cmd/{name}")
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubectl",
                "kubelet",
                "kube-proxy",
            )
        ),
        Program("coredns", "coredns", "github.com/coredns/coredns", "trimtab.io/tests/cluster/coredns"),
        Program("kuberay-operator", "kuberay", KUBERAY, KUBERAY, definitions="config/crd/bases"),
        Program("kstatus", "kstatus", "sigs.k8s.io/cli-utils", "trimtab.io/tests/cluster/kstatus"),
        Program("versitygw", "versitygw", VERSITYGW, f"{VERSITYGW}/cmd/versitygw"),
        Program("helm", "helm", HELM, f"{HELM}/cmd/helm"),
    )
}


def cache_folder() -> Path:
    """Where binaries are kept: `$TRIMTAB_TEST_PROGRAMS`, else `trimtab/bin` in the user's cache folder."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TRIMTAB_TEST_PROGRAMS") or user / "trimtab/bin")


def find_program(name: str) -> Path:
    """The path of a program that is built already; UnavailableError says how to build it."""
    program = PROGRAMS[name]
    if not program.path.exists():
        try:
            check_go(program.folder)
        except UnavailableError as error:
            raise UnavailableError(f"{name} {program.version} is not built, and {error}") from error
        raise UnavailableError(f"{name} {program.version} is not built: run `make test-deps`")
    return program.path


def build_program(name: str) -> Path:
    """The path of a program, built first if need be; parallel sessions wait for each other's build."""
    program = PROGRAMS[name]
    if program.path.exists():
        return program.path
    check_go(program.folder)
    program.path.parent.mkdir(parents=True, exist_ok=True)
    with locked(program.path.with_name(f".{name}.lock")):
        if not program.path.exists():
            compile_program(program)
    return program.path


def compile_program(program: Program) -> None:
    """Build into a neighbouring file, then rename: a build that is cut short leaves no half program."""
    draft = program.path.with_name(f".{program.name}.{os.getpid()}")
    command = ["go", "build", "-trimpath", "-ldflags", link_flags(program), "-o", str(draft), program.package]
    environment = os.environ | {"CGO_ENABLED": "0"}  # static, so that no C compiler is needed
    try:
        done = subprocess.run(command, cwd=MODULES / program.folder, env=environment, check=False)
        if done.returncode:
            raise UnavailableError(
                f"{program.name} {program.version} could not be built; Go's messages are above"
            )
        copy_definitions(program)  # before the program itself, whose presence says that all is there
        draft.rename(program.path)
    finally:
        draft.unlink(missing_ok=True)


def copy_definitions(program: Program) -> None:
    """Copy the CustomResourceDefinitions that the program's module ships, as far as it has any."""
    if program.definitions is None:
        return
    command = ["go", "list", "-m", "-f", "{{.Dir}}", program.module]
    folder = MODULES / program.folder
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    program.definitions_path.mkdir(exist_ok=True)
    for path in sorted((Path(found) / program.definitions).glob("*.yaml")):
        shutil.copyfile(path, program.definitions_path / path.name)


def link_flags(program: Program) -> str:
    """Linker flags: no debug tables; Kubernetes' programs and Helm are told their version, which they report.

    Helm is also told the version of Kubernetes that it takes for granted where it sees no cluster: else 1.20.
    """
    facts = {}
    if program.folder == "kubernetes":
        major, minor, _ = program.version.removeprefix("v").split(".")
        named = {"gitVersion": program.version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
        facts = {f"k8s.io/component-base/version.{name}": value for name, value in named.items()}
    if program.folder == "helm":
        facts = {f"{HELM}/internal/version.version": program.version}
        for package in ("chartutil", "lint/rules"):
            facts[f"{HELM}/pkg/{package}.k8sVersionMinor"] = PROGRAMS["kubectl"].version.split(".")[1]
    return "-s -w" + "".join(f" -X {name}={value}" for name, value in facts.items())


def check_go(folder: str) -> None:
    """UnavailableError when there is no Go that can build this module."""
    try:
        answer = subprocess.run(
            ["go", "env", "GOVERSION"], cwd=MODULES / folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise UnavailableError("Go was not found: install Go 1.26, then run `make test-deps`") from error
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout.strip())
    if found and (int(found[1]), int(found[2])) < MINIMUM_GO:
        raise UnavailableError(
            f"Go {found[0][2:]} is too old: install Go 1.26 (at least "
            f"{'.'.join(map(str, MINIMUM_GO))}), then run `make test-deps`"
        )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; the system drops it if this process dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

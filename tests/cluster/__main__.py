"""python -m tests.cluster build [PROGRAM ...] | up DIR | down DIR

build   builds the servers that the tests need, as far as they are missing, and prints their paths
up      starts a control plane with KubeRay and the CRDs in DIR, to look at with kubectl and DIR/kubeconfig
down    ends what `up DIR` started, and nothing else, and removes DIR
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

from tests.cluster.control_plane import EVERYTHING, ControlPlane
from tests.cluster.definitions import trimtab_definitions
from tests.cluster.processes import StartError, stop_recorded
from tests.cluster.programs import PROGRAMS, UnavailableError, build_program, find_program


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build").add_argument("program", nargs="*", help=", ".join(PROGRAMS))
    for name in ("up", "down"):
        commands.add_parser(name).add_argument("folder", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    try:
        if arguments.command == "build":
            build(arguments.program or list(PROGRAMS))
        elif arguments.command == "up":
            up(arguments.folder.resolve())
        else:
            down(arguments.folder.resolve())
    except (UnavailableError, StartError) as error:
        sys.exit(str(error))


def build(names: list[str]) -> None:
    for name in names:
        if name not in PROGRAMS:
            sys.exit(f"no program is named {name}: choose from {', '.join(PROGRAMS)}")
        began = time.monotonic()
        if not PROGRAMS[name].path.exists():
            print(f"building {name} {PROGRAMS[name].version} (minutes, once)", file=sys.stderr, flush=True)
        path = build_program(name)
        print(f"{path}  {time.monotonic() - began:.1f} s")


def up(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty: name a new folder, or run `down` on it first")
    began = time.monotonic()
    ControlPlane(folder, EVERYTHING, list(trimtab_definitions().values()), outlive=True).start()
    kubectl = f"{find_program('kubectl')} --kubeconfig {folder}/kubeconfig"
    print(f"ready after {time.monotonic() - began:.1f} s: {kubectl} get crds")


def down(folder: Path) -> None:
    if not (folder / "pids").exists():
        sys.exit(f"{folder} holds no control plane: there is no {folder}/pids")
    stop_recorded(folder)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

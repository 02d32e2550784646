"""python -m tests.cluster build [PROGRAM ...] | up DIR [--nodes NAME,NAME] | down DIR

build   builds the servers that the tests need, as far as they are missing, and prints their paths
up      starts a control plane with KubeRay and the CRDs in DIR, to look at with kubectl and DIR/kubeconfig;
        with --nodes real nodes join it: cpu-1 in the pool `cpu`, gpu-1 in the pool `gpu`, with made-up GPUs
down    ends what `up DIR` started, and nothing else, and removes DIR
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

from tests.cluster.clearing import clear
from tests.cluster.control_plane import EVERYTHING, ControlPlane
from tests.cluster.definitions import trimtab_definitions
from tests.cluster.pools import divide, pooled_nodes
from tests.cluster.processes import StartError
from tests.cluster.programs import PROGRAMS, UnavailableError, build_program, find_program


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build").add_argument("program", nargs="*", help=", ".join(PROGRAMS))
    commands.add_parser("down").add_argument("folder", type=Path, metavar="DIR")
    add_up(commands.add_parser("up"))
    arguments = parser.parse_args()
    try:
        if arguments.command == "build":
            build(arguments.program or list(PROGRAMS))
        elif arguments.command == "up":
            up(arguments)
        else:
            down(arguments.folder.resolve())
    except (UnavailableError, StartError) as error:
        sys.exit(str(error))


def add_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--nodes", metavar="NAME,NAME", help="real nodes, which need root")
    parser.add_argument("--fast-loss", action="store_true", help="notice a lost node after 8 s, not 50")
    parser.add_argument("--policies", action="store_true", help="enforce network policies")
    parser.add_argument(
        "--load", type=Path, action="append", default=[], metavar="ARCHIVE", help="load images into the nodes"
    )


def build(names: list[str]) -> None:
    for name in names:
        if name not in PROGRAMS:
            sys.exit(f"no program is named {name}: choose from {', '.join(PROGRAMS)}")
        began = time.monotonic()
        if not PROGRAMS[name].path.exists():
            print(f"building {name} {PROGRAMS[name].version} (minutes, once)", file=sys.stderr, flush=True)
        path = build_program(name)
        print(f"{path}  {time.monotonic() - began:.1f} s")


def up(arguments: argparse.Namespace) -> None:
    folder = arguments.folder.resolve()
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty: name a new folder, or run `down` on it first")
    began = time.monotonic()
    if arguments.nodes:
        up_nodes(folder, arguments)
    else:
        ControlPlane(folder, EVERYTHING, list(trimtab_definitions().values()), outlive=True).start()
    kubectl = f"{find_program('kubectl')} --kubeconfig {folder}/kubeconfig"
    shown = "nodes" if arguments.nodes else "crds"
    print(f"ready after {time.monotonic() - began:.1f} s: {kubectl} get {shown}")


def up_nodes(folder: Path, arguments: argparse.Namespace) -> None:
    options = {"fast_loss": arguments.fast_loss, "policies": arguments.policies, "outlive": True}
    nodes = pooled_nodes(folder, arguments.nodes.split(","), **options)
    nodes.start()
    divide(nodes)
    for archive in arguments.load:
        nodes.load(archive.resolve())


def down(folder: Path) -> None:
    if not (folder / "pids").exists():
        sys.exit(f"{folder} holds no control plane: there is no {folder}/pids")
    clear(folder)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

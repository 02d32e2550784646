"""python -m tests.cluster.packages: what nodes need of this machine, installed where it allows that.

These are the distribution's packages, which get their security fixes there.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster.configuration import PLUGINS
from tests.cluster.groups import ControlGroups
from tests.cluster.programs import UnavailableError

PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    f"{PLUGINS}/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "nft": "nftables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "mount": "mount",
    "unshare": "util-linux",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "catatonit": "catatonit",
}
"""By a program of it, which may be in an administrator's folders."""
FOLDERS = f"{os.defpath}:/usr/local/sbin:/usr/sbin:/sbin"
BRIDGE_MODULE = "br_netfilter"
BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def missing_packages() -> list[str]:
    """The packages that are not installed."""
    path = f"{os.environ.get('PATH', '')}:{FOLDERS}"
    return [package for program, package in PACKAGES.items() if shutil.which(program, path=path) is None]


def check_machine() -> None:
    """UnavailableError when nodes cannot run here, with what to do."""
    if os.geteuid() != 0:
        raise UnavailableError("real nodes need root: run the tests as root")
    if missing := missing_packages():
        raise UnavailableError(
            "real nodes need packages: run sudo apt-get install --no-install-recommends "
            f"{' '.join(missing)}, or make test-deps as root"
        )
    if not BRIDGE_FILTER.exists():
        raise UnavailableError(
            f"real nodes need the kernel module {BRIDGE_MODULE}: run sudo modprobe {BRIDGE_MODULE}"
        )
    if not ControlGroups("").usable():
        raise UnavailableError(
            "real nodes need control groups: mount version 2, or version 1 with all controllers and freezer, "
            "on /sys/fs/cgroup"
        )


def main() -> None:
    missing = missing_packages()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        install(missing)
    if not BRIDGE_FILTER.exists() and os.geteuid() == 0 and (modprobe := shutil.which("modprobe")):
        subprocess.run([modprobe, "--quiet", BRIDGE_MODULE], check=False)
    try:
        check_machine()
    except UnavailableError as error:
        sys.exit(str(error))


def install(packages: list[str]) -> None:
    """Install packages; end with the command that failed."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (("update", "-q"), ("install", "-qy", "--no-install-recommends", *packages)):
        if subprocess.run(("apt-get", *command), env=environment, stdout=sys.stderr, check=False).returncode:
            sys.exit(f"apt-get {' '.join(command)} failed: the tiers with real nodes are left out")


if __name__ == "__main__":
    main()

"""python -m tests.support.chromium: the browser of the browser tier, installed where this machine allows it.

It is the distribution's package, which gets its security fixes there, and never Playwright's own download.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core")
COMMANDS = (("apt-get", "update", "-q"), ("apt-get", "install", "-qy", "--no-install-recommends", *PACKAGES))
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without these a browser in a container does not start, or asks its maker for updates."""


def find_chromium() -> Path | None:
    """The installed browser, None when there is none."""
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def how_to_install() -> str:
    """What a person types."""
    return (
        f"Chromium is not installed: run sudo apt-get install {' '.join(PACKAGES)}, or make test-deps as root"
    )


def main() -> None:
    if find_chromium() is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            sys.exit(how_to_install())
        for command in COMMANDS:
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            if subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode:
                sys.exit(f"{' '.join(command)} failed: the browser tier is left out")
    print(find_chromium())


if __name__ == "__main__":
    main()

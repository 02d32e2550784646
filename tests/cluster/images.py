"""python -m tests.cluster.images base|operator|worker|remove: images for the nodes of a test cluster.

Nothing is pulled from a registry: the base is made of Debian's packages, and a Dockerfile is built on it.
What is built is kept as an archive outside the tree, by what it is made of, and built anew only where
something of that has changed. RUN steps use this machine's network, package index and certificate
authorities; the latter two are given as secrets, which no image keeps.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from ast import literal_eval
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.packages import check_machine
from tests.cluster.programs import UnavailableError, cache_folder, locked

ROOT = Path(__file__).parents[2]
BASE = "localhost/base:test"
OPERATOR, WORKER = "localhost/trimtab-operator:test", "localhost/trimtab-worker:test"
IS_FULL = os.environ.get("TRIMTAB_WORKER_IMAGE") == "full"
"""Whether the worker's image holds all that it is released with: 6 GB, which `make image-test` tries."""
RAY_ALONE = {"PACKAGES": "ray[default]"}
"""Build arguments of a worker's image with Ray and Trimtab alone, a tenth of all."""
PACKAGES = ("python3", "python3-venv", "python3-pip", "libstdc++6", "ca-certificates", "procps")
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
AS_IN_PYTHON_SLIM = 'ln -s python3 "$1"/usr/bin/python; rm -f "$1"/etc/hostname; : > "$1"/etc/resolv.conf'
RECIPE = (
    "mmdebstrap",
    "--quiet",
    "--variant=essential",
    f"--include={','.join(PACKAGES)}",
    *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
    f"--customize-hook={AS_IN_PYTHON_SLIM}",
    "bookworm",
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
KEPT_ARCHIVES = 3
"""How many archives of one image stay, for trees that are tested in turn."""


def images_folder() -> Path:
    """Where images are kept: `$TRIMTAB_TEST_IMAGES`, else beside the programs."""
    return Path(os.environ.get("TRIMTAB_TEST_IMAGES") or cache_folder() / "images")


class ImageError(RuntimeError):
    """An image could not be built; the message ends with the tool's last words."""


def base_image(folder: Path) -> Path:
    """An archive of Debian with Python and certificates, tagged `localhost/base:test`."""
    check_machine()
    with archive_of(folder, BASE, RECIPE) as archive:
        if not archive.exists():
            remove_unfinished(folder)
            root = folder / "root.draft.tar"
            run(*RECIPE, str(root))
            container = buildah(folder, "from", "scratch")
            buildah(folder, "add", "--quiet", container, str(root), "/")
            buildah(folder, "config", "--env", f"PATH={PATH}", "--cmd", "/bin/bash", container)
            buildah(folder, "commit", "--quiet", "--rm", container, BASE)
            root.unlink()
            save(folder, BASE, archive)
    return archive


def build_image(folder: Path, context: Path, target: str, tag: str, arguments: Mapping[str, str]) -> Path:
    """An archive of one target of the context's Dockerfile on the base image, with this tag."""
    base = base_image(folder)
    made_of = (base.name, target, sorted(arguments.items()), sorted(digests(context)))
    with archive_of(folder, tag, made_of) as archive:
        if not archive.exists():
            remove_unfinished(folder)
            buildah(folder, "tag", buildah(folder, "pull", "--quiet", f"docker-archive:{base}"), BASE)
            build(folder, context, ("--target", target, "--tag", tag), {**arguments, "BASE": BASE})
            save(folder, tag, archive)
    return archive


def build(folder: Path, context: Path, options: tuple[str, ...], arguments: Mapping[str, str]) -> None:
    """Build a Dockerfile into the store, with this machine's network, package index and authorities."""
    given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    settings = index_settings()
    given += [
        f"--volume={wheels}:{wheels}:ro" for wheels in settings.get("find-links", []) if Path(wheels).is_dir()
    ]
    with tempfile.TemporaryDirectory() as secrets:
        for name, text in index_secrets(settings).items():
            (Path(secrets) / name).write_text(text)
            given.append(f"--secret=id={name},src={secrets}/{name}")
        ways = ("--quiet", f"--layers={not IS_FULL}", "--isolation=chroot", "--network=host", "--pull-never")
        buildah(folder, "bud", *ways, *given, *options, str(context))


def index_settings() -> dict[str, list[str]]:
    """What pip is told here by files and variables: option → words, the strongest source of each."""
    pip = (getattr(sys, "_base_executable", sys.executable), "-m", "pip", "config", "list")
    found = re.findall(r"^(global|install|:env:)\.([\w-]+)=(.*)$", run(*pip), re.MULTILINE)
    strongest = sorted(found, key=lambda line: ("global", "install", ":env:").index(line[0]))
    return {option: str(literal_eval(value)).split() for _, option, value in strongest}


def index_secrets(settings: Mapping[str, list[str]]) -> dict[str, str]:
    """The files that tell pip and uv in an image of the index and of whom to trust: name → text."""
    links = [link for link in settings.get("find-links", []) if "://" in link or Path(link).is_dir()]
    first, more = settings.get("index-url", []), settings.get("extra-index-url", [])
    hosts = settings.get("trusted-host", [])
    told = {"index-url": first, "extra-index-url": more, "trusted-host": hosts, "find-links": links}
    lines = [f"find-links = {json.dumps(links)}", f"allow-insecure-host = {json.dumps(hosts)}"]
    for urls, is_first in ((more, "false"), (first, "true")):
        lines += [f"[[index]]\nurl = {json.dumps(url)}\ndefault = {is_first}" for url in urls]
    authorities = [os.environ.get("SSL_CERT_FILE", ""), *settings.get("cert", []), CERTIFICATES]
    return {
        "pip.conf": "\n".join(
            ["[global]", *(f"{name} = {' '.join(words)}" for name, words in told.items() if words)]
        ),
        "uv.toml": "\n".join(lines),
        "ca.pem": next(Path(path).read_text() for path in authorities if Path(path).is_file()),
    }


def digests(context: Path) -> Iterator[tuple[str, str]]:
    """Path and digest of each file that a build may read."""
    for path in sources(context):
        yield str(path.relative_to(context)), hashlib.sha256(path.read_bytes()).hexdigest()


def sources(context: Path) -> Iterator[Path]:
    """Each file that a build may read: the Dockerfile and what it copies."""
    dockerfile = context / "Dockerfile"
    copied = [word for line in copies(dockerfile.read_text()) for word in line]
    for source in (dockerfile, context / ".dockerignore", *(context / word for word in copied)):
        for path in [source] if source.is_file() else source.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def copies(dockerfile: str) -> Iterator[list[str]]:
    """The sources of each COPY from the context."""
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        yield line.split()[:-1]


@contextmanager
def archive_of(folder: Path, tag: str, made_of: object) -> Iterator[Path]:
    """Where the archive of an image lies; others wait until it is built, and old ones of the tag go."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W", "-", tag)
    key = hashlib.sha256(repr((tag, made_of)).encode()).hexdigest()[:12]
    archive = folder / f"{name}-{key}.tar"
    with locked(folder / ".lock"):
        yield archive
        os.utime(archive)
        newest_first = sorted(folder.glob(f"{name}-*.tar"), key=lambda path: -path.stat().st_mtime)
        for old in newest_first[KEPT_ARCHIVES:]:
            old.unlink()


def remove_unfinished(folder: Path) -> None:
    """Remove what builds left that were killed; whoever calls holds the folder's lock."""
    for draft in folder.glob("*.draft*"):
        draft.unlink()
    buildah(folder, "rm", "--all")


def save(folder: Path, tag: str, archive: Path) -> None:
    """Write an image of the store into an archive, not compressed: a third of the time."""
    draft = archive.with_suffix(".draft")
    buildah(folder, "push", "--quiet", tag, f"docker-archive:{draft}:{tag}")
    draft.rename(archive)


def buildah(folder: Path, command: str, *arguments: str) -> str:
    """Run buildah on the folder's own store; what it says."""
    (folder / "tmp").mkdir(exist_ok=True)
    store = ("--root", f"{folder}/store", "--runroot", f"{folder}/run", "--storage-driver", "overlay")
    return run("env", f"TMPDIR={folder}/tmp", "buildah", *store, command, *arguments)


def run(*command: str) -> str:
    """What a command says; ImageError with its last words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise ImageError(f"{' '.join(command)}\nexited with {done.returncode}:\n{words}")
    return done.stdout.strip()


def remove(folder: Path) -> None:
    """Remove all images, their archives, and the packages that were downloaded for them."""
    buildah(folder, "rm", "--all")
    buildah(folder, "rmi", "--all", "--force")
    if (overlay := folder / "store/overlay").is_mount():  # buildah mounts it on itself, and leaves it so
        run("umount", str(overlay))
    shutil.rmtree(folder)


def main() -> None:
    folder = images_folder()
    actions = {
        "base": lambda: base_image(folder),
        "operator": lambda: build_image(folder, ROOT, "operator", OPERATOR, {}),
        "worker": lambda: build_image(folder, ROOT, "worker", WORKER, {} if IS_FULL else RAY_ALONE),
        "remove": lambda: remove(folder),
    }
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=actions)
    try:
        print(actions[parser.parse_args().action]() or folder)
    except (UnavailableError, ImageError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

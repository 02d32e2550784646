"""`python -m trimtab_jobs.fetch`: an archive of code, downloaded, verified, then unpacked into a folder.

How a pod gets spec.task.code.archive before its containers start. Nothing is unpacked whose SHA-256 is not
the manifest's.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from trimtab_jobs.archives import ArchiveError, unpack
from trimtab_jobs.store import StoreError
from trimtab_jobs.store.origin import digest_of, download

MOST_BYTES = 1024 * 1024 * 1024
"""A larger archive is refused: code is small, and the disk is not this job's alone."""


class FetchError(Exception):
    """The archive cannot be had, or is not the one that was asked for."""


def fetch(uri: str, sha256: str, folder: Path) -> None:
    """Unpack the archive at `uri` into `folder`, which is made; FetchError says why not, in one line."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trimtab-fetch-") as scratch:
        archive = Path(scratch) / "archive"
        try:
            download(uri, archive, MOST_BYTES)
        except StoreError as error:
            raise FetchError(f"spec.task.code.archive.uri: {error}") from None
        found = digest_of(archive)
        if found != sha256.lower():
            raise FetchError(
                f"spec.task.code.archive.sha256: {uri} has {found}, not {sha256}: it was replaced; "
                "bring the file back, or make a new job with this digest"
            )
        try:
            unpack(archive, folder)
        except ArchiveError as error:
            raise FetchError(f"spec.task.code.archive.uri: {uri} {error}") from None


def main(arguments: Sequence[str]) -> int:
    """Exit code of one fetch: 0, or 1 after one line that says what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m trimtab_jobs.fetch", description=__doc__)
    parser.add_argument("--uri", required=True, help="where the archive lies: s3, gs, az, file or https")
    parser.add_argument("--sha256", required=True, help="digest of the archive, in hexadecimal")
    parser.add_argument("--to", required=True, type=Path, help="folder to unpack into")
    given = parser.parse_args(arguments)
    try:
        fetch(given.uri, given.sha256, given.to)
    except (FetchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Archives of code: plain files come out, and of a hostile one nothing but a sentence."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from trimtab_jobs.archives import ArchiveError, Caps, unpack

FILES = {"digits.py": b"a = 1\n", "vision/__init__.py": b"", "vision/net.py": b"b = 2\n"}
SMALL = Caps(entries=3, total_bytes=2000)


def tar_of(*members: tarfile.TarInfo | tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz", format=form) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))
    return body.getvalue()


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return body.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def zip_entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def locked_zip() -> bytes:
    body = bytearray(zip_of(("digits.py", b"a = 1")))
    body[6] |= 1  # "encrypted", in the local header and in the central directory
    body[body.index(b"PK\x01\x02") + 8] |= 1
    return bytes(body)


def header_bomb() -> bytes:
    """A member whose extended header alone unpacks to gigabytes, as its size says."""
    info = special("x", tarfile.XHDTYPE)
    info.size = 4 * 1024**3
    return gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(1024 * 1024))


def unpack_in(tmp_path: Path, body: bytes, caps: Caps = SMALL) -> Path:
    archive, folder = tmp_path / "archive", tmp_path / "code"
    archive.write_bytes(body)
    folder.mkdir(exist_ok=True)
    unpack(archive, folder, caps)
    return folder


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_files_and_folders_come_out(tmp_path: Path, pack: Callable[..., bytes]):
    assert content_of(unpack_in(tmp_path, pack(*FILES.items()))) == FILES


def test_a_folder_of_its_own_is_made(tmp_path: Path):
    folder = unpack_in(tmp_path, tar_of(special("./empty/", tarfile.DIRTYPE)))

    assert (folder / "empty").is_dir()


def test_what_an_interrupted_start_left_is_replaced(tmp_path: Path):
    unpack_in(tmp_path, tar_of(("digits.py", b"old"), ("vision/old.py", b"old")))
    (tmp_path / "code" / ".unpacking-left").mkdir()

    folder = unpack_in(tmp_path, tar_of(("vision/net.py", b"new")))

    assert content_of(folder) == {"digits.py": b"old", "vision/net.py": b"new"}
    assert sorted(path.name for path in folder.iterdir()) == ["digits.py", "vision"]


OUT = "leads out of the folder it is unpacked to"
HOSTILE = {
    "absolute path": (tar_of(("/etc/passwd", b"x")), f"'/etc/passwd' {OUT}"),
    "path up": (tar_of(("a/../../x.py", b"x")), f"'a/../../x.py' {OUT}"),
    "path up in a zip": (zip_of(("../x.py", b"x")), f"'../x.py' {OUT}"),
    "absolute path in a zip": (zip_of(("/x.py", b"x")), f"'/x.py' {OUT}"),
    "path of another system": (tar_of(("..\\x.py", b"x")), OUT),
    "symbolic link": (tar_of(special("x", tarfile.SYMTYPE, "/etc")), "'x' is a symbolic link"),
    "link, then a file through it": (
        tar_of(special("x", tarfile.SYMTYPE, "/tmp"), ("x/y.py", b"x")),
        "'x' is a symbolic link",
    ),
    "hard link": (tar_of(special("x", tarfile.LNKTYPE, "/etc/passwd")), "'x' is a hard link"),
    "device": (tar_of(special("x", tarfile.CHRTYPE)), "'x' is a special file"),
    "fifo": (tar_of(special("x", tarfile.FIFOTYPE)), "'x' is a special file"),
    "unknown kind": (tar_of(special("x", b"Z")), "'x' is a special file"),
    "symbolic link in a zip": (zip_of((zip_entry("x", 0o120777), b"/etc")), "'x' is a symbolic link"),
    "device in a zip": (zip_of((zip_entry("x", 0o020666), b"")), "'x' is a special file"),
    "many files": (tar_of(*[(f"{n}.py", b"") for n in range(4)]), "more than 3 files and folders"),
    "many files in a zip": (zip_of(*[(f"{n}.py", b"") for n in range(4)]), "more than 3 files and folders"),
    "bomb": (tar_of(("x.py", bytes(2001))), "unpacks to more than 2000 bytes"),
    "bomb in a zip": (zip_of(("x.py", bytes(2001))), "unpacks to more than 2000 bytes"),
    "bomb in parts": (
        zip_of(("x.py", bytes(1001)), ("y.py", bytes(1001))),
        "unpacks to more than 2000 bytes",
    ),
    "bomb in a header": (header_bomb(), "has a header of more than 1048576 bytes"),
    "long name": (
        tar_of(("x" * 2_000_000, b""), form=tarfile.GNU_FORMAT),
        "header of more than 1048576 bytes",
    ),
    "name twice": (tar_of(("x.py", b"1"), ("x.py", b"2")), "'x.py' is there twice"),
    "file as folder": (tar_of(("x", b"1"), ("x/y.py", b"2")), "cannot be made: File exists"),
    "name that no disk takes": (tar_of(("x" * 300, b"")), "cannot be written: File name too long"),
    "deep folders": (tar_of(("x/" * 40 + "y.py", b"")), "lies more than 32 folders deep"),
    "password": (locked_zip(), "'digits.py' is a file with a password; only files and folders"),
    "cut tar": (tar_of(("x.py", bytes(range(256)) * 4))[:-150], "cannot be read: "),
    "cut zip": (zip_of(("x.py", bytes(1000)))[:-30], "cannot be read: File is not a zip file"),
    "no tar inside": (gzip.compress(b"hello" * 200), "cannot be read: "),
    "neither": (b"#!/bin/sh", "is neither a zip nor a tar.gz"),
    "empty file": (b"", "is neither a zip nor a tar.gz"),
}


@pytest.mark.parametrize(("body", "problem"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_archive_is_refused_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, body: bytes, problem: str
):
    with pytest.raises(ArchiveError) as error:
        unpack_in(tmp_path, body)

    assert problem in str(error.value)
    assert list((tmp_path / "code").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "code"]

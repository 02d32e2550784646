"""The pause image is an archive of one layer that describes itself."""

import hashlib
import io
import json
import tarfile

from tests.cluster.pause import PAUSE, pause_image


def files(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {name: found.read() for name in opened.getnames() if (found := opened.extractfile(name))}


def test_image_names_its_program_and_the_digest_of_its_layer() -> None:
    archive = pause_image(b"program", "x86_64")

    found = files(archive)
    (described,) = json.loads(found["manifest.json"])
    configuration = json.loads(found[described["Config"]])
    (layer,) = (found[name] for name in described["Layers"])
    assert described["RepoTags"] == [PAUSE]
    assert configuration["architecture"] == "amd64"
    assert configuration["config"]["Entrypoint"] == ["/catatonit", "-P"]
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert files(layer) == {"catatonit": b"program"}


def test_image_of_the_same_program_is_the_same() -> None:
    assert pause_image(b"program", "aarch64") == pause_image(b"program", "aarch64")

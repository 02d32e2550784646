from pathlib import Path

import pytest


@pytest.fixture(params=["folder", "s3"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a run keeps everything: a local folder, then a bucket of the S3 server."""
    if request.param == "folder":
        return str(tmp_path / "output")
    return f"{request.getfixturevalue('s3_bucket')}/run"

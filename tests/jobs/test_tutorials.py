"""The tutorial's own files, copied into a folder as a newcomer would, and checked with `validate --code`."""

import re
import subprocess
import sys
from pathlib import Path

TUTORIALS = Path(__file__).parents[2] / "docs/tutorials"
TRIMTAB = Path(sys.executable).with_name("trimtab")


def test_the_script_its_task_and_its_manifest_are_as_the_tutorial_says(tmp_path: Path):
    page = (TUTORIALS / "from-a-training-script.md").read_text()
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    script, task, _use = (text for language, text in blocks if language == "python")
    (manifest,) = (text for language, text in blocks if language == "yaml")
    for name, text in {"train.py": script, "task.py": task, "job.yaml": manifest}.items():
        (tmp_path / name).write_text(text)

    command = [TRIMTAB, "validate", "--code", "job.yaml"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout in [text for language, text in blocks if language == "text"]

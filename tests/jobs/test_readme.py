"""The README's own example, run as a stranger would: its Python and YAML blocks, copied into a folder."""

import json
import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()
TRIMTAB = Path(sys.executable).with_name("trimtab")


def block(language: str) -> str:
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    return str(text)


def test_the_readmes_task_and_manifest_end_in_a_published_model(tmp_path: Path):
    (tmp_path / "rings.py").write_text(block("python"))
    (tmp_path / "rings.yaml").write_text(block("yaml"))

    ended = subprocess.run(
        [TRIMTAB, "run", "rings.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    output = tmp_path / "trimtab-output" / "rings"
    assert json.loads((output / "result.json").read_text())["phase"] == "Succeeded"
    assert (output / "model" / "rings" / "1" / "model.onnx").exists()

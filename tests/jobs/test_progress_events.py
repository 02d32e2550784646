"""The events of a real run, line by line, and the commands that look at what it left."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema

from trimtab_api.report import Report

ROOT = Path(__file__).parent.parent.parent
TRIMTAB = Path(sys.executable).with_name("trimtab")


def test_every_line_keeps_to_the_published_schema(demo: Path):
    schema = json.loads((ROOT / "docs/reference/progress-events.schema.json").read_text())
    events = [json.loads(line) for line in (demo / "events").read_text().splitlines()]

    for event in events:
        jsonschema.validate(event, schema)

    assert (events[0]["event"], events[-1]["event"]) == ("start", "final")
    assert {event["event"] for event in events} >= {"stage", "trial", "progress", "candidate"}
    kept = Report.model_validate_json((demo / "output/result.json").read_text())
    assert Report.model_validate(events[-1]["report"]) == kept


def told(demo: Path, *arguments: str) -> str:
    ended = subprocess.run([TRIMTAB, *arguments], cwd=demo, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_run_is_shown_as_it_was_told(demo: Path):
    assert told(demo, "get", "output") == (demo / "printed").read_text()


def test_page_is_made_anew_as_the_run_made_it(demo: Path):
    assert told(demo, "report", "output", "--to", "-") == (demo / "output/report.html").read_text()


def test_logs_list_every_trial(demo: Path):
    names = [line.split()[0] for line in told(demo, "logs", "output").splitlines()[1:]]
    assert set(names) >= {"0", "1"}

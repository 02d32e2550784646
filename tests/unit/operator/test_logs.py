"""The log: one JSON object a line."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from trimtab_operator.logs import JsonFormatter, start_logs


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Logging that is pytest's again afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def line(message: str, *arguments: object, **extra: Any) -> dict[str, Any]:
    record = logging.LogRecord("trimtab_operator.work", logging.WARNING, "f", 1, message, arguments, None)
    vars(record).update(extra)
    record.created = 1795770000.25
    found: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return found


def test_line_says_when_how_grave_who_what_and_about_which_job() -> None:
    assert line("busy; again in %.1f s", 0.5, job="vision/digits", reason="Unavailable") == {
        "time": "2026-11-27T09:00:00.250+00:00",
        "level": "warning",
        "logger": "trimtab_operator.work",
        "message": "busy; again in 0.5 s",
        "job": "vision/digits",
        "reason": "Unavailable",
    }


def test_message_of_several_lines_is_one_line_and_kopfs_own_fields_are_left_out() -> None:
    text = JsonFormatter().format(logging.makeLogRecord({"msg": "a\nb", "k8s_ref": {}, "settings": object()}))

    assert "\n" not in text
    assert not {"k8s_ref", "settings"} & json.loads(text).keys()


def test_error_comes_with_its_traceback() -> None:
    try:
        raise KeyError("spec")
    except KeyError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})

    assert json.loads(JsonFormatter().format(record))["error"].endswith("KeyError: 'spec'")


@pytest.mark.parametrize(("log_format", "starts"), [("json", "{"), ("text", "20")])
def test_log_is_written_to_standard_error(
    own_logging: None, capsys: pytest.CaptureFixture[str], log_format: str, starts: str
) -> None:
    start_logs(log_format, "warning")
    logging.getLogger("trimtab_operator").info("not shown")
    logging.getLogger("kopf.objects").info("not shown")
    logging.getLogger("trimtab_operator").warning("shown")

    written = capsys.readouterr()
    assert (written.out, written.err.count("\n")) == ("", 1)
    assert written.err.startswith(starts)
    assert "shown" in written.err

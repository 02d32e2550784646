"""Works in this process: failures and whose fault they are, what a session holds, what a worker prints."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trimtab_jobs.pool import CodeError, Done, Failure, InlinePool, Session, Work, WorkerSetup, reaper
from trimtab_jobs.pool.code import EVERY_FILE, code_digest
from trimtab_jobs.pool.perform import perform
from trimtab_jobs.pool.printed import LIMIT_BYTES, TAIL_LINES, Printed, last_lines, read_printed
from trimtab_jobs.store import open_store

SUPPORT = Path(__file__).parent.parent / "support"
TASK = """
from trimtab_jobs import Task

class Mine(Task):
    metrics = {"rows": len}
    build = train = evaluate = inputs = None
"""


def setup_of(store: Path, code: Path = SUPPORT, entrypoint: str = "none:None") -> WorkerSetup:
    return WorkerSetup(store_uri=str(store), entrypoint=entrypoint, args={}, code=str(code))


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[InlinePool]:
    pool = InlinePool(setup_of(tmp_path))
    yield pool
    pool.close()


def run(pool: InlinePool, function: str, **payload: Any) -> Done:
    pool.submit(Work("w", function, payload))
    (done,) = pool.poll(0)
    return done


def test_value_comes_back_with_the_works_id(pool: InlinePool) -> None:
    done = run(pool, "works:give", a=1)

    assert done == Done("w", seconds=done.seconds, worker=0, value={"a": 1})
    assert done.seconds >= 0


def test_session_is_kept_from_work_to_work(pool: InlinePool) -> None:
    assert [run(pool, "works:count").value for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "expected", "error"),
    [
        ("value", "configuration", "ValueError: lr is bad"),
        ("code", "code", "no method 'build'"),
        ("configuration", "configuration", "accuracy is nan"),
        ("store", "infrastructure", "/data: the disk is full"),
        ("exit", "configuration", "SystemExit: 3"),
        ("interrupt", "configuration", "KeyboardInterrupt"),
        ("long", "configuration", f"ValueError: {'x' * 588}…"),
    ],
)
def test_exception_becomes_a_failure(pool: InlinePool, kind: str, expected: str, error: str) -> None:
    failure = run(pool, "works:fail", kind=kind).failure

    assert failure is not None
    assert (failure.kind, failure.error) == (expected, error)


def test_tail_of_a_failure_is_the_traceback_of_the_users_code(pool: InlinePool) -> None:
    failure = run(pool, "works:fail", kind="value").failure

    assert failure is not None
    assert failure.tail.splitlines()[0] == "Traceback (most recent call last):"
    assert "works.py" in failure.tail.splitlines()[1]
    assert failure.tail.splitlines()[-1] == "ValueError: lr is bad"


def test_function_that_does_not_exist_is_a_failure_too(pool: InlinePool) -> None:
    assert run(pool, "works:nothing").failure == Failure(
        "configuration",
        "AttributeError: module 'works' has no attribute 'nothing'",
        run(pool, "works:nothing").failure.tail,  # type: ignore[union-attr]  # a failure, by the line above
    )


def test_inline_pool_takes_one_work_at_a_time(pool: InlinePool) -> None:
    pool.submit(Work("a", "works:give", {}))

    with pytest.raises(RuntimeError, match="'b' submitted while 'a' is under way"):
        pool.submit(Work("b", "works:give", {}))


def test_abandoned_work_never_comes_back(pool: InlinePool) -> None:
    pool.submit(Work("a", "works:give", {}))

    pool.abandon()

    assert pool.poll(0) == []


def test_closed_session_leaves_neither_its_folder_nor_the_users_modules(tmp_path: Path) -> None:
    (tmp_path / "of_user.py").write_text("")
    session = Session(setup_of(tmp_path, code=tmp_path))
    __import__("of_user")
    (session.scratch / "file").touch()

    session.close()

    assert not session.scratch.exists()
    assert "of_user" not in sys.modules
    assert str(tmp_path) not in sys.path


def test_closing_a_session_that_never_held_anything(tmp_path: Path) -> None:
    Session(WorkerSetup(str(tmp_path), "none:None", {})).close()

    assert list(tmp_path.iterdir()) == []


def test_task_is_constructed_once(tmp_path: Path) -> None:
    (tmp_path / "mine_once.py").write_text(TASK)
    session = Session(setup_of(tmp_path, tmp_path, "mine_once:Mine"))

    task = session.task()

    assert type(task).__name__ == "Mine"
    assert session.task() is task
    session.close()


def test_code_in_another_state_than_at_the_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine_pinned.py").write_text(TASK)
    setup = setup_of(tmp_path, tmp_path, "mine_pinned:Mine")
    pinned = replace(setup, code_sha256=code_digest(setup.entrypoint, str(tmp_path), EVERY_FILE))
    assert type(Session(pinned).task()).__name__ == "Mine"

    (tmp_path / "settings.yaml").write_text("rows: 2")

    with pytest.raises(
        CodeError, match="the code has changed since the run began; put it back, or make a new"
    ):
        Session(pinned).task()


def test_task_that_is_not_there_is_the_codes_fault(tmp_path: Path) -> None:
    session = Session(setup_of(tmp_path, tmp_path, "absent:Mine"))

    with pytest.raises(CodeError, match="no module 'absent'"):
        session.task()
    session.close()


PRINTING = """
import json, sys
from pathlib import Path
from trimtab_jobs.pool import Session, Work, WorkerSetup
from trimtab_jobs.pool.code import EVERY_FILE, code_digest
from trimtab_jobs.pool.perform import perform
from trimtab_jobs.pool.printed import Printed

store, code, function, payload = sys.argv[1:]
session = Session(WorkerSetup(store, "none:None", {}, code))
printed = Printed(Path(store) / ".printed")
for number in range(2):
    work = Work("w", f"works:{function}", json.loads(payload), f"logs/{number}.log")
    done = perform(session, work, 0, printed)
if done.failure:
    (Path(store) / ".failure").write_text(json.dumps([done.failure.kind, done.failure.tail]))
"""


def printed_by(function: str, store: Path, **payload: Any) -> list[bytes]:
    """The logs of two works in a process of its own, whose terminal they take over."""
    command = [sys.executable, "-c", PRINTING, str(store), str(SUPPORT), function, json.dumps(payload)]
    ended = subprocess.run(command, capture_output=True, check=True)
    assert (ended.stdout, ended.stderr) == (b"", b"")
    opened = open_store(str(store))
    return [opened.get(key) for key in opened.list("logs")]


def test_everything_a_work_prints_is_in_its_log_and_not_in_the_next(tmp_path: Path) -> None:
    first, second = printed_by("speak", tmp_path)

    assert sorted(first.splitlines()) == [b"c code", b"error", b"python", b"subprocess"]
    assert second == first


def test_traceback_is_in_the_log_and_in_the_tail(tmp_path: Path) -> None:
    log, _ = printed_by("fail", tmp_path, kind="value")

    assert log.endswith(b"ValueError: lr is bad\n")
    assert json.loads((tmp_path / ".failure").read_text()) == ["configuration", log.decode().rstrip()]


def test_work_that_prints_nothing_leaves_no_log(tmp_path: Path) -> None:
    assert printed_by("see", tmp_path) == []


def test_last_lines_are_few_and_short() -> None:
    assert last_lines("a\nb\n\n") == "a\nb"
    assert last_lines("\n".join(map(str, range(100)))).splitlines() == [
        str(line) for line in range(100 - TAIL_LINES, 100)
    ]
    assert len(last_lines("x" * 100_000)) == 2000


def test_printed_file_that_is_not_there_reads_as_nothing(tmp_path: Path) -> None:
    assert read_printed(tmp_path / "absent") == ""


@contextmanager
def printed_into(path: Path) -> Iterator[Printed]:
    """What is printed, until this process gets its terminal back."""
    terminal = os.dup(1), os.dup(2)
    try:
        yield Printed(path)
    finally:
        for number, kept in zip((1, 2), terminal, strict=True):
            os.dup2(kept, number)
            os.close(kept)


def test_printed_is_taken_once(tmp_path: Path) -> None:
    with printed_into(tmp_path / "printed") as printed:
        os.write(1, b"out, ")
        os.write(2, b"err")
        taken = [printed.take(), printed.take()]

    assert taken == [b"out, err", b""]


def test_printed_is_cut_in_the_middle(tmp_path: Path) -> None:
    half = LIMIT_BYTES // 2
    with printed_into(tmp_path / "printed") as printed:
        os.write(1, b"a" * LIMIT_BYTES + b"b" * LIMIT_BYTES)
        read = read_printed(tmp_path / "printed")
        taken = printed.take().decode()

    assert read == "a" * half + f"\n… {LIMIT_BYTES} bytes left out …\n" + "b" * half
    assert taken == read


def test_work_prints_into_its_log(tmp_path: Path) -> None:
    session = Session(setup_of(tmp_path))
    with printed_into(tmp_path / "printed") as printed:
        done = perform(session, Work("w", "works:echo", {"text": "hello"}, "logs/1.log"), 0, printed)

    assert done.failure is None
    assert open_store(str(tmp_path)).get("logs/1.log") == b"hello\n"
    session.close()


def test_reaper_ends_who_has_files_in_the_folder_and_removes_it(tmp_path: Path) -> None:
    folder, other = tmp_path / "pool", tmp_path / "pool-other"
    folder.mkdir()
    with (folder / "a").open("w") as file, other.open("w") as elsewhere:
        inside = subprocess.Popen(["sleep", "600"], stdout=file)
        outside = subprocess.Popen(["sleep", "600"], stdout=elsewhere)
    assert reaper.processes_in(str(folder)) == [inside.pid]

    reaper.main(str(folder), io.BytesIO())

    assert inside.wait() == -signal.SIGKILL
    assert outside.poll() is None
    assert not folder.exists()
    outside.kill()
    outside.wait()


def test_log_that_cannot_be_stored_is_an_infrastructure_failure(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where a folder should be")

    printed_by("speak", tmp_path)

    kind, tail = json.loads((tmp_path / ".failure").read_text())
    assert kind == "infrastructure"
    assert "python" in tail

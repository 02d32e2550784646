"""module:attribute to a task: whatever is missing is named, with what to write."""

import traceback
from pathlib import Path

import pytest

import trimtab_jobs
from tests.support.tasks import BLOBS, session_of
from trimtab_jobs.pool import CodeError
from trimtab_jobs.tasks.how_to import HOW_TO
from trimtab_jobs.tasks.loading import load_task

HEAD = "from trimtab_jobs import SupervisedTask, Task\n"
NO_METRIC = HEAD + (
    "class Blobs(Task):\n"
    "    def build(self, params): ...\n"
    "    def train(self, model, params, context): ...\n"
    "    def evaluate(self, predict, split): ...\n"
    "    def inputs(self, count): ...\n"
)


def failure_of(folder: Path, source: str, name: str = "Blobs", **args: object) -> str:
    """What loading the task says."""
    session = session_of(folder, source, name, args)
    try:
        with pytest.raises(CodeError) as failure:
            session.task()
        return str(failure.value)
    finally:
        session.close()


def test_a_task_is_constructed_with_its_arguments_and_data(tmp_path: Path) -> None:
    session = session_of(tmp_path, args={"batch_size": 8, "epochs": 2})
    session.task()
    task = load_task("user_task:Blobs", {"batch_size": 8}, data={"train": "/mnt/train"})
    assert (task.epochs, task.batch_size, task.data) == (4, 8, {"train": "/mnt/train"})
    session.close()


@pytest.mark.parametrize(
    ("source", "method"),
    [
        pytest.param(HEAD + "class Blobs(SupervisedTask): ...", "build", id="neither"),
        pytest.param(
            HEAD + "class Blobs(SupervisedTask):\n  def build(self, params): ...", "splits", id="splits"
        ),
        pytest.param(NO_METRIC.replace("def train", "def fit"), "train", id="train"),
        pytest.param(NO_METRIC.replace("def evaluate", "def test"), "evaluate", id="evaluate"),
    ],
)
def test_a_missing_method_is_named_with_three_lines_to_add(tmp_path: Path, source: str, method: str) -> None:
    assert failure_of(tmp_path, source) == (
        f"spec.task.entrypoint 'user_task:Blobs': Blobs has no method {method!r}; add:\n{HOW_TO[method]}"
    )
    assert len(HOW_TO[method].splitlines()) == 3


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        pytest.param(BLOBS, "Blob", "user_task has no 'Blob'; did you mean user_task:Blobs?", id="misspelt"),
        pytest.param(BLOBS, "Images", "user_task has no 'Images'; it defines Blobs, blobs", id="absent"),
        pytest.param(
            "import no_such_package", "Blobs", "user_task imports 'no_such_package', which is not", id="needs"
        ),
        pytest.param(
            "1 / 0", "Blobs", "importing user_task raised ZeroDivisionError: division by zero", id="raises"
        ),
        pytest.param(
            "def Blobs(): ...",
            "Blobs",
            "Blobs() is neither a task nor one of its functions; write def objective(params, context) or def",
            id="function",
        ),
        pytest.param(
            "class Blobs: ...", "Blobs", "'user_task:Blobs': it is a class, not a task; write def", id="class"
        ),
        pytest.param(NO_METRIC, "Blobs", "Blobs has no metric; add one:", id="no metric"),
    ],
)
def test_code_that_is_no_task(tmp_path: Path, source: str, name: str, message: str) -> None:
    assert message in failure_of(tmp_path, source, name)


def test_a_module_that_is_not_there_is_named_beside_what_is(tmp_path: Path) -> None:
    with pytest.raises(CodeError) as failure:
        load_task("digitz:Digits", {}, str(tmp_path))
    assert str(failure.value) == (
        "spec.task.entrypoint 'digitz:Digits': there is no module 'digitz'; the code folder holds no .py file"
    )
    (tmp_path / "digits.py").touch()
    with pytest.raises(CodeError, match=r"the code folder holds digits\.py"):
        load_task("digitz:Digits", {}, str(tmp_path))
    with pytest.raises(CodeError, match=r"there is no module 'digitz\.more'; no code was given"):
        load_task("digitz.more:Digits", {})


def test_a_file_that_has_the_name_of_another_module_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "json.py").touch()
    with pytest.raises(
        CodeError, match=r"json has no 'Digits'; it is .*; the code folder holds json\.py: name one that no"
    ):
        load_task("json:Digits", {}, str(tmp_path))


def test_the_traceback_of_an_import_begins_in_the_module(tmp_path: Path) -> None:
    session = session_of(tmp_path, "1 / 0", "Blobs", {})
    with pytest.raises(CodeError) as failure:
        session.task()
    session.close()
    assert [frame.name for frame in traceback.extract_tb(failure.value.__cause__.__traceback__)] == [
        "<module>"
    ]


@pytest.mark.parametrize("name", ["bach_size", "_hidden"])
def test_an_argument_that_the_task_does_not_have(tmp_path: Path, name: str) -> None:
    assert failure_of(tmp_path, BLOBS, **{name: 8}) == (
        f"spec.task.entrypoint 'user_task:Blobs': Blobs({name}=8), with spec.task.args, raised TypeError: "
        f"Blobs() got an unexpected keyword argument {name!r}"
    )


def test_the_package_offers_its_classes_lazily() -> None:
    assert trimtab_jobs.SupervisedTask.__mro__[1] is trimtab_jobs.Task
    with pytest.raises(AttributeError, match="no attribute 'Pipeline'"):
        _ = trimtab_jobs.Pipeline

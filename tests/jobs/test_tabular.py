"""TabularTask: what it reads, how it splits and encodes, what it refuses, and that its models stay exact."""

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab_jobs.pool import CodeError, ConfigurationError, DataPlace, Session, WorkerSetup
from trimtab_jobs.stages.export_onnx import export
from trimtab_jobs.stages.half import convert
from trimtab_jobs.stages.quantize_static import quantize
from trimtab_jobs.tasks import TabularTask
from trimtab_jobs.tasks.context import Teacher, TrainContext
from trimtab_jobs.tasks.loading import load_task
from trimtab_jobs.tasks.predict import predict_with
from trimtab_jobs.tasks.table_columns import OTHER, encode
from trimtab_jobs.tasks.table_network import RawColumns, encoder_of
from trimtab_jobs.tasks.trial import describe, run_trial

ROWS = 240
DRAW = np.random.default_rng(0)
AGE = DRAW.integers(18, 90, ROWS)
INCOME = np.exp(DRAW.normal(10, 0.5, ROWS)).round(2)
CITY = np.array(["Bern", "Oslo", "Rome"])[DRAW.integers(0, 3, ROWS)]
BUYS = np.where((AGE > 50) ^ (CITY == "Oslo"), "yes", "no")
TABLE: dict[str, Sequence[Any]] = {
    "age": AGE.tolist(),
    "income": INCOME.tolist(),
    "city": CITY.tolist(),
    "buys": BUYS.tolist(),
}


def write(folder: Path, table: Mapping[str, Sequence[Any]] = TABLE, name: str = "rows.csv") -> Path:
    """A CSV file of these columns; None is an empty cell."""
    with (folder / name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return folder / name


def task(path: Path, **args: Any) -> TabularTask:
    made = TabularTask(**{"target": "buys"} | args)
    made.data = {"rows": str(path)}
    return made


def refused(path: Path, **args: Any) -> str:
    with pytest.raises(CodeError) as told:
        task(path, **args).sizes()
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path)


def test_a_table_is_a_task(table: Path) -> None:
    made = task(table)
    assert made.sizes() == {"train": 144, "validation": 49, "test": 47}
    assert made.classes == ("no", "yes")
    assert [column.name for column in made.columns] == ["age", "income", "city"]
    assert made.columns[2].categories == ("Bern", "Oslo", "Rome")
    assert list(made.metric_functions()) == ["accuracy", "balancedAccuracy", "f1", "auc", "loss"]
    assert [part.shape for part in made.inputs(5)] == [(5, 3)]


def test_the_built_in_tasks_are_found_by_name_and_a_misspelt_one_is_named(table: Path) -> None:
    found = load_task("trimtab_jobs.tasks:TabularTask", {"target": "buys"}, data={"rows": str(table)})
    assert isinstance(found, TabularTask)
    with pytest.raises(CodeError, match=r"spec.task.data: is empty; add the data"):
        load_task("trimtab_jobs.tasks:TabularTask", {"target": "buys"})
    with pytest.raises(CodeError, match=r"did you mean trimtab_jobs.tasks:TabularTask\?"):
        load_task("trimtab_jobs.tasks:TabluarTask", {})
    with pytest.raises(CodeError, match=r"^spec.task.args.traget: is not a field; did you mean target\?$"):
        load_task("trimtab_jobs.tasks:TabularTask", {"target": "buys", "traget": "x"})


def test_what_is_published_says_how_a_row_is_written(table: Path) -> None:
    assert task(table).preprocessing() == {
        "input": "float32 (rows, columns): numbers as they are, codes of categories, NaN where missing",
        "columns": [
            {"name": "age", "kind": "number"},
            {"name": "income", "kind": "number"},
            {"name": "city", "kind": "category", "codes": {"Bern": 0, "Oslo": 1, "Rome": 2}, "other": -1},
        ],
        "output": {"target": "buys", "classes": ["no", "yes"]},
    }


def test_a_folder_of_csv_and_parquet_files_is_one_table_whatever_their_order_on_disk(tmp_path: Path) -> None:
    names = ["b.csv", "a.csv", "c.parquet"]
    parts = [{name: column[start::3] for name, column in TABLE.items()} for start in range(3)]
    made = []
    for order in ([0, 1, 2], [2, 1, 0]):
        folder = tmp_path / str(order[0])
        folder.mkdir()
        for number in order:
            if names[number].endswith("csv"):
                write(folder, parts[number], names[number])
            else:
                pa.parquet.write_table(pa.table(parts[number]), folder / names[number])
        (folder / "_notes.csv").write_text("not a table")
        made.append(task(folder))
    first, second = (made_.datasets for made_ in made)
    for split in first:
        assert torch.equal(first[split].rows, second[split].rows)
        assert torch.equal(first[split].targets, second[split].targets)


def test_workers_of_one_node_share_what_was_prepared(table: Path) -> None:
    first, second = task(table), task(table, epochs=3)
    assert first._prepared.arrays["rows"].filename == second._prepared.arrays["rows"].filename
    assert task(table, seed=1)._prepared.arrays["rows"].filename != first._prepared.arrays["rows"].filename


def test_rows_of_a_group_are_split_and_judged_together(tmp_path: Path) -> None:
    path = write(tmp_path, {**TABLE, "person": [f"p{row // 4}" for row in range(ROWS)]})
    made = task(path, group="person")
    groups = {
        split: set(made.evaluate(lambda rows: np.zeros((len(rows), 2)), split)["group"])
        for split in ("train", "validation", "test")
    }
    assert sum(map(len, groups.values())) == len(set.union(*groups.values())) == ROWS // 4
    assert "person" not in [column.name for column in made.columns]
    assert not getattr(made.metric_functions()["accuracy"], "proportion", False)


def test_a_column_may_say_which_split_a_row_is_in(tmp_path: Path) -> None:
    words = ["train", "test", "train", "validation"] * (ROWS // 4)
    made = task(write(tmp_path, {**TABLE, "part": words}), split="part")
    assert made.sizes() == {"train": 120, "validation": 60, "test": 60}
    assert made.datasets["test"].rows[0, 0] == AGE[1]


def test_a_regression_predicts_in_the_targets_own_unit(table: Path) -> None:
    made = task(table, target="income", ignore="buys")
    network = made.build({})
    rows = made.evaluate(predict_with(network), "train")
    assert list(made.metric_functions()) == ["mae", "rmse", "r2", "loss"]
    assert rows["prediction"].mean() == pytest.approx(INCOME.mean(), rel=0.3)
    assert rows["loss"].mean() == pytest.approx(1, abs=0.5)  # in units of the target's variance
    assert rows["loss"].mean() * made._unit[1] ** 2 == pytest.approx(
        np.mean((rows["prediction"].ravel() - rows["target"]) ** 2), rel=1e-4
    )


def test_a_teacher_counts_in_the_unit_of_the_loss(table: Path) -> None:
    made = task(table, target="income", ignore="buys")
    shift = made.error_unit()
    teacher = Teacher(lambda rows: torch.zeros(len(rows), 1), temperature=1.0, weight=0.5)
    context = TrainContext(params={}, seed=0, last=1, teacher=teacher)
    outputs, inputs = torch.full((4, 1), 3 * shift), (torch.zeros(4, 2),)
    loss = made.loss(outputs, torch.full((4,), shift)).mean()
    both = context.distilled(loss, outputs, inputs, classes=False, unit=shift)
    assert (float(loss), float(both)) == pytest.approx((4.0, 0.5 * 4 + 0.5 * 9))


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        pytest.param(["a", "b"], "auto", ("a", "b"), id="strings"),
        pytest.param(["true", "false"], "auto", ("false", "true"), id="booleans"),
        pytest.param(["2", "10"], "auto", ("2", "10"), id="whole numbers in their own order"),
        pytest.param(["1.0", "2.0"], "auto", ("1", "2"), id="whole numbers written as fractions"),
        pytest.param(["0.5", "1.5"], "auto", None, id="fractions"),
        pytest.param(["0", "1"], "regression", None, id="as it was told"),
    ],
)
def test_what_kind_a_target_is(
    tmp_path: Path, values: list[str], kind: str, expected: tuple[str, ...] | None
) -> None:
    path = write(tmp_path, {"x": AGE.tolist(), "buys": values * (ROWS // 2)})
    assert task(path, kind=kind).classes == expected


# What is refused


@pytest.mark.parametrize(
    ("change", "args", "message"),
    [
        pytest.param({}, {"target": "buy"}, "has no column 'buy'; did you mean 'buys'?", id="target"),
        pytest.param(
            {},
            {"ignore": "zip"},
            "args.ignore: the table has no column 'zip'; there are age, income",
            id="name",
        ),
        pytest.param({"buys": ["no"] * ROWS}, {}, "column 'buys' is 'no' in every row", id="constant"),
        pytest.param(
            {"buys": [None, *BUYS[1:]]},
            {},
            "column 'buys' is empty in 1 of 240 rows, first in row 1",
            id="gap",
        ),
        pytest.param(
            {"buys": ["maybe", *BUYS[1:]]}, {}, "of column 'buys' 'maybe' is in one row only", id="rare class"
        ),
        pytest.param(
            {"city": [f"c{row}" for row in range(ROWS)]},
            {},
            "column 'city': all 240 values differ, so nothing can be learned from it; add 'city' to",
            id="names of rows",
        ),
        pytest.param(
            {"age": list(range(1000, 1000 + ROWS))},
            {},
            "column 'age': it counts the rows",
            id="numbers of rows",
        ),
        pytest.param(
            {"age": [dt.date(2020, 1, 1 + row % 28).isoformat() for row in range(ROWS)]},
            {},
            "column 'age': it holds dates or times (date32[day]), which a network cannot take; add 'age' to",
            id="dates",
        ),
        pytest.param({"age": [None] * ROWS}, {}, "column 'age': it is empty; add 'age'", id="empty column"),
        pytest.param(
            {"income": ["n/k", *INCOME[1:]]},
            {},
            "column 'income': row 1 holds 'n/k' among numbers; mend it or leave it empty",
            id="slip",
        ),
        pytest.param(
            {"income": ["inf", *INCOME[1:]]}, {}, "column 'income': row 1 holds an infinite number", id="inf"
        ),
        pytest.param(
            {"income": (1.7e9 + INCOME % 60).tolist()}, {}, "differ too little", id="beyond float32"
        ),
        pytest.param({}, {"target": "city", "kind": "regression"}, "no numbers, but kind is", id="kind"),
        pytest.param(
            {}, {"target": "income", "kind": "classification"}, "holds fractions such as", id="classes"
        ),
        pytest.param({}, {"features": "age,buys"}, "'buys' is the target; remove it", id="leak"),
        pytest.param({}, {"features": "buys"}, "'buys' is the target; remove it", id="target alone"),
        pytest.param({}, {"ignore": "age,income,city"}, "nothing to predict from", id="no feature"),
        pytest.param({}, {"split": "city"}, "args.split: column 'city' holds", id="split words"),
        pytest.param({}, {"split": "999,1,1"}, "of 240 rows none is in validation", id="split empty"),
        pytest.param({}, {"group": "buys"}, "column 'buys' has 2 different values; it needs 3", id="groups"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: dict[str, Any], args: dict[str, Any], message: str) -> None:
    assert message in refused(write(tmp_path, {**TABLE, **change}), **args)


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        pytest.param("rows.csv", b"", "rows.csv: cannot be read: empty CSV file", id="empty"),
        pytest.param("rows.csv", b"a,buys\n", "rows.csv: has no row", id="header alone"),
        pytest.param(
            "rows.csv", b"a,buys\n1,x\n2\n", "rows.csv: cannot be read: line 3: Expected 2 columns", id="torn"
        ),
        pytest.param("rows.csv", b"a,a\n1,2\n", "two columns called 'a'", id="twice"),
        pytest.param("rows.csv", b"\x89PNG\r\n\x1a\n\0", "header is not UTF-8 text", id="no text"),
        pytest.param("rows.csv", b"a,buys\n1,\xff\n2,x\n", "bytes that are not UTF-8 text", id="Latin-1"),
        pytest.param("rows.parquet", b"PAR1", "rows.parquet: cannot be read: ", id="broken parquet"),
        pytest.param("rows.xlsx", b"", "rows.xlsx: is no table; give a file that ends in .csv", id="excel"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, body: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(body)
    assert message in refused(tmp_path / name)


def test_files_that_do_not_fit_each_other_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"age": [1, 2], "buys": ["a", "b"]}, "a.csv")
    write(tmp_path, {"age": ["old", "young"], "buys": ["a", "b"]}, "b.csv")
    assert "the files do not fit each other: " in refused(tmp_path)
    (empty := tmp_path / "empty").mkdir()
    assert "holds no file that ends in .csv" in refused(empty)


def test_a_group_that_the_split_column_tears_apart_is_refused(tmp_path: Path) -> None:
    words = ["train", "test", "train", "validation"] * (ROWS // 4)
    path = write(tmp_path, {**TABLE, "part": words, "person": [row // 4 for row in range(ROWS)]})
    assert "rows of one group into several splits" in refused(path, split="part", group="person")


def test_a_width_of_nothing_is_the_parameters_fault(table: Path) -> None:
    with pytest.raises(ConfigurationError, match="parameter width=0: must be at least 1"):
        task(table).build({"width": 0})


# Encoding

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=5)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "ß", "7"]), words), min_size=4, max_size=19))
def test_codes_of_categories_can_be_read_back(values: list[str | None]) -> None:
    train = np.arange(len(values)) % 2 == 0
    if not any(values[::2]):
        return
    column, codes = encode("c", pa.array(values, pa.string()), train, categorical=False)
    assert column.categories == tuple(sorted({value for value in values[::2] if value is not None}))
    for value, code in zip(values, codes, strict=True):
        if value is None:
            assert np.isnan(code)
        elif value in column.categories:
            assert column.categories[int(code)] == value
        else:
            assert code == OTHER
    encoder = RawColumns([column])
    one_hot = encoder(torch.from_numpy(codes)[:, None])
    known = [float(value in column.categories) for value in values]
    width = len(column.categories)
    assert one_hot[:, :width].sum(1).tolist() == pytest.approx(known)
    assert column.missing == any(value is None for value in values[::2])
    if column.missing:
        assert one_hot[:, width].tolist() == [value is None for value in values]


numbers = st.floats(-1e6, 1e6, width=32)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(st.lists(st.one_of(st.none(), numbers), min_size=3, max_size=30))
def test_numbers_are_standardized_inside_the_network(values: list[float | None]) -> None:
    there = [value for value in values if value is not None]
    if np.std(there or [0]) < 1e-2 * (1 + np.abs(there or [0]).max()):
        return
    column, raw = encode("n", pa.array(values, pa.float64()), np.ones(len(values), bool), categorical=False)
    encoder, width = encoder_of([column])
    encoded = encoder(torch.from_numpy(raw)[:, None]).numpy()
    expected = [(value if value is not None else np.median(there)) for value in values]
    standard = (np.array(expected) - np.mean(there)) / np.std(there)
    assert encoded[:, 0] == pytest.approx(standard.clip(-6, 6), abs=1e-3)
    assert width == 1 + (len(there) < len(values))
    if width == 2:
        assert encoded[:, 1].tolist() == [value is None for value in values]


# The whole way


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session on a table with large numbers, categories and gaps, with a trained and exported network."""
    folder = tmp_path_factory.mktemp("tabular")
    gaps = [value * 1e3 if row % 9 else None for row, value in enumerate(INCOME.tolist())]
    path = write(folder, {**TABLE, "income": gaps})
    arguments = {"target": "buys", "epochs": 8, "batch_size": 16}
    opened = Session(
        WorkerSetup(
            str(folder / "store"),
            "trimtab_jobs.tasks:TabularTask",
            arguments,
            data={"a": DataPlace(str(path))},
        )
    )
    trial = {"trial": 0, "params": {"lr": 0.01}, "seed": 7, "last_epoch": None, "resume": None}
    trained = run_trial(opened, **trial, checkpoint="checkpoints/0/8.pt", objectives=["accuracy"])
    assert trained["metrics"]["accuracy"] > 0.9
    again = run_trial(opened, **trial, checkpoint="checkpoints/1/8.pt", objectives=["accuracy"])
    assert again["metrics"] == trained["metrics"]
    work = {"params": {"lr": 0.01}, "checkpoint": "checkpoints/0/8.pt", "seed": 7, "opset": 21}
    export(opened, candidate="fp32", batch="dynamic", **work)
    return opened


def test_it_says_what_it_is(session: Session) -> None:
    told = describe(session)
    assert (told["primary"], told["proportions"], told["epochs"]) == ("accuracy", ["accuracy"], 8)


def test_a_training_that_diverges_on_a_table_with_gaps_is_its_parameters_fault(session: Session) -> None:
    trial = {"trial": 9, "seed": 7, "last_epoch": None, "resume": None, "checkpoint": "checkpoints/9.pt"}
    with pytest.raises(ConfigurationError, match="the training diverged"):
        run_trial(session, **trial, params={"lr": 1e30, "optimizer": "sgd"}, objectives=["accuracy"])


@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_int8_keeps_raw_columns_in_float_and_layers_in_integers(session: Session, method: str) -> None:
    made = quantize(session, candidate="int8", parent="fp32", config={"method": method, "samples": 100})
    assert (made["changed"]["float"], made["changed"]["fused"]["QGemm"]) == (0, 3)
    assert made["parity"]["sqnrDb"] > 20


def test_fp16_keeps_numbers_beyond_its_range(session: Session) -> None:
    assert INCOME.max() * 1e3 > np.finfo(np.float16).max
    made = convert(session, candidate="fp16", parent="fp32", config={})
    assert made["parity"]["sqnrDb"] > 40

"""CSV and Parquet files, one or a folder of them, as one table; whatever cannot be read is named."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.csv  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet  # type: ignore[import-untyped]  # ships no types

from trimtab_jobs.pool.errors import CodeError

SUFFIXES = (".csv", ".csv.gz", ".parquet")


def table_files(path: Path) -> tuple[Path, ...]:
    """Return the file, or the table files anywhere in the folder in the order of their names.

    Names that begin with a dot or an underscore do not count. CodeError when there is none.
    """
    if path.is_file():
        if not path.name.lower().endswith(SUFFIXES):
            raise CodeError(f"{path}: is no table; give a file that ends in {', '.join(SUFFIXES)}")
        return (path,)
    found = [file for file in path.rglob("*") if file.name.lower().endswith(SUFFIXES) and file.is_file()]
    shown = [file for file in found if not _hidden(file.relative_to(path))]
    if not shown:
        raise CodeError(f"{path}: holds no file that ends in {', '.join(SUFFIXES)}; put the table there")
    return tuple(sorted(shown, key=lambda file: file.relative_to(path).as_posix()))


def read_table(files: tuple[Path, ...]) -> Any:
    """Return the rows of all files, one after the other, as a pyarrow Table.

    Columns are matched by name; one that some file lacks is missing in its rows. CodeError names the file,
    and the line where there is one.
    """
    tables = [_read(file) for file in files]
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise CodeError(
            f"{files[0].parent}: the files do not fit each other: {_first_line(error)}; "
            "give each column the same kind of values in every file"
        ) from None
    if table.num_rows == 0:
        raise CodeError(f"{files[0]}: has no row; give it at least a few for each split")
    return table


def _read(file: Path) -> Any:
    try:
        if file.suffix.lower() == ".parquet":
            table = pa.parquet.ParquetFile(file).read()
        else:
            table = _read_csv(file, use_threads=True)
        twice = [name for name, count in Counter(table.column_names).items() if count > 1]
    except UnicodeDecodeError:
        raise CodeError(f"{file}: its header is not UTF-8 text; save it as UTF-8") from None
    except (pa.ArrowException, OSError) as error:
        raise CodeError(f"{file}: cannot be read: {_explained(file, error)}") from None
    if twice:
        raise CodeError(f"{file}: has two columns called {twice[0]!r}; rename one")
    return table


def _read_csv(file: Path, use_threads: bool) -> Any:
    return pa.csv.read_csv(
        file,
        read_options=pa.csv.ReadOptions(use_threads=use_threads),
        convert_options=pa.csv.ConvertOptions(strings_can_be_null=True),
    )


def _explained(file: Path, error: Exception) -> str:
    """What is wrong; of a CSV file read once more by a single thread, which alone knows the line."""
    if file.suffix.lower() != ".parquet" and isinstance(error, pa.ArrowInvalid):
        try:
            _read_csv(file, use_threads=False)
        except pa.ArrowInvalid as told:
            error = told
    text = re.sub(r"^CSV parse error: Row #(\d+): ", r"line \1: ", _first_line(error))
    return text[:1].lower() + text[1:]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _hidden(file: Path) -> bool:
    return any(part.startswith((".", "_")) for part in file.parts)

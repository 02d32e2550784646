"""Writes data/cells.csv: 569 tumours of the breast, 30 measurements of cell nuclei each, and the diagnosis.

The data are those of Wolberg, Street and Mangasarian (1995) in scikit-learn's package.
"""

import csv
from pathlib import Path

from sklearn.datasets import load_breast_cancer


def write(folder: Path) -> None:
    cells = load_breast_cancer()
    folder.mkdir(exist_ok=True)
    with (folder / "cells.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*cells.feature_names, "diagnosis"])
        for measured, kind in zip(cells.data.tolist(), cells.target, strict=True):
            table.writerow([*measured, cells.target_names[kind]])
    print(f"Wrote {len(cells.target)} rows to {file.name}")


if __name__ == "__main__":
    write(Path(__file__).parent / "data")

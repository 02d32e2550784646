"""Writes data/<digit>/<number>.png: 1,797 handwritten digits of 8 by 8 pixels, a folder for each of the ten.

The data are those of Alpaydin and Kaynak (1998) in scikit-learn's package.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def write(folder: Path) -> None:
    digits = load_digits()
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        place = folder / str(digit)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 255 / 16).astype(np.uint8)).save(place / f"{number:04}.png")
    print(f"Wrote {len(digits.target)} images to {folder}")


if __name__ == "__main__":
    write(Path(__file__).parent / "data")

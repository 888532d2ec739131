"""`usps`: 7,291 + 2,007 digits from United States envelopes (Hull 1994, as in The Elements of Statistical Learning).

A second domain of real digits. It measures; it teaches none of the networks that ship. Two files are expected in
`INKLING_DATA/USPS`: `zip.train.gz` and `zip.test.gz`, text rows of a label and 256 greys in [-1, 1].
"""

import gzip
import zlib

import numpy as np
import torch

from core.data.mnist import DIGITS
from core.data.normalise import normalise
from core.data.samples import Samples
from core.errors import DataError
from core.paths import data_dir

SIDE = 16


def load_usps(part: str) -> Samples:
    file = data_dir() / "USPS" / f"zip.{part}.gz"
    try:
        with gzip.open(file, "rt", encoding="ascii") as text:
            rows = np.array(text.read().split(), np.float32).reshape(-1, 1 + SIDE * SIDE)
        if not len(rows) or not np.isin(rows[:, 0], range(10)).all() or np.abs(rows[:, 1:]).max() > 1:
            raise ValueError("its rows are not a label from 0 to 9 and 256 greys in [-1, 1]")
    except FileNotFoundError as error:
        raise DataError(f"{file} is missing; set INKLING_DATA to a folder that holds USPS/{file.name}.") from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{file} is damaged or half downloaded ({error}); fetch it again.") from error
    labels = torch.from_numpy(rows[:, 0]).to(torch.int64)
    greys = ((rows[:, 1:] + 1) * 127.5).round().clip(0, 255).astype(np.uint8).reshape(-1, SIDE, SIDE)
    return Samples("usps", part, torch.from_numpy(np.stack([normalise(grey) for grey in greys])), labels, DIGITS)

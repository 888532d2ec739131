"""Segmentation of real people's handwriting: the floor that was measured, so that it never gets worse."""

import csv

import numpy as np
import pytest

from core.reading import segment
from core.reading.picture import read_picture

FLOOR = {"digits": 188, "greek": 248}  # of 189 and 250 pictures of one symbol; measured: all of them


@pytest.mark.parametrize("kind", ["digits", "greek"])
def test_pictures_of_one_symbol_give_one_segment(kind, data_or_skip):
    folder = data_or_skip("handwriting")
    with (folder / "labels.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["file"].startswith(kind) and r["kind"] == "single"]
    counts = [sum(s.reason is None for s in segment(read_picture(folder / r["file"])).segments) for r in rows]
    wrong = [row["file"] for row, count in zip(rows, counts, strict=True) if count != 1]
    assert np.count_nonzero(np.equal(counts, 1)) >= FLOOR[kind], wrong


def test_pages_have_as_many_symbols_as_their_text(data_or_skip):
    folder = data_or_skip("handwriting")
    with (folder / "labels.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["file"].startswith("digits") and r["kind"] == "page"]
    off = 0
    for row in rows:
        want = [len(line.replace(" ", "")) for line in row["label"].split("/") if line]
        found = [s.row for s in segment(read_picture(folder / row["file"])).segments if s.reason is None]
        off += want != [found.count(i) for i in range(max(found, default=-1) + 1)]
    assert off <= 1

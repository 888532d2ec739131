"""Boxes → reading order: rows from the top, each from left to right; rows may slope."""

from collections.abc import Sequence

from core.reading.types import Box

SAME_ROW = 0.35  # share of the lower box's height that two neighbours of one row have in common


def row_of_each(boxes: Sequence[Box]) -> list[int]:
    """The row number of each box, 0 at the top.

    From left to right, each box joins the row whose last member shares most of its height; so a row may climb.
    """
    rows: list[list[int]] = []
    for i in sorted(range(len(boxes)), key=lambda i: boxes[i][0]):
        best = max(rows, key=lambda row: overlap(boxes[row[-1]], boxes[i]), default=None)
        if best is not None and overlap(boxes[best[-1]], boxes[i]) > SAME_ROW:
            best.append(i)
        else:
            rows.append([i])
    rows.sort(key=lambda row: sum(boxes[i][1] + boxes[i][3] / 2 for i in row) / len(row))
    number = [0] * len(boxes)
    for row, members in enumerate(rows):
        for i in members:
            number[i] = row
    return number


def overlap(a: Box, b: Box) -> float:
    """The share of the lower box's height that lies beside the other box."""
    return (min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])) / min(a[3], b[3])

"""A test's figures and tables as blocks of a report."""

from collections.abc import Iterator, Sequence

import numpy as np

from core.data import Samples
from core.reading import written
from core.report.document import Block, Figure, Table, Text
from core.report.result_figures import calibration_figure, confusion_figure, per_class_figure
from core.report.sample_figures import glyph_grid
from core.training.results import TestResult

FEW = 12  # classes up to which a table has a column for each
GRID = 9  # samples in a grid


def result_blocks(result: TestResult, samples: Samples) -> Iterator[Block]:
    """Everything of one test, the plain answer first."""
    low, high = result.interval
    yield Text(
        f"{int(result.right.sum()):,} of {len(result):,} test samples are read right: {result.accuracy:.2%}. On very "
        f"many samples like these it would be {low:.2%} to {high:.2%} (95 % interval)."
    )
    yield outputs_table(result)
    if not samples.is_table:
        yield _grid(
            result, samples, np.arange(min(GRID, len(result))), "The first test samples and what they are read as"
        )
    yield Figure(
        confusion_figure(result.confusion, result.classes),
        "A row for each true class. Green is right; red are mistakes, stronger the larger their share of the row.",
    )
    yield Figure(
        per_class_figure(result.per_class),
        "Precision: of what is read as a class, the share that is it. Recall: of a class, the share that is found.",
    )
    yield per_class_table(result)
    yield Figure(
        calibration_figure(result.calibration, result.calibration_error),
        "On the dashed line, answers given with 80 % confidence are right 80 times in 100. The bars count the answers. "
        f"The mean distance from the line, the expected calibration error, is {result.calibration_error:.2%}.",
    )
    mistakes = result.most_confident_mistakes(GRID)
    if len(mistakes) and not samples.is_table:
        yield _grid(result, samples, mistakes, "The mistakes made with most confidence")


def outputs_table(result: TestResult, count: int = 10) -> Table:
    """The network's outputs for the first samples: a row each, or a column each where there are many classes."""
    outputs = result.first_outputs(count)
    names = [written(label) for label in result.classes]
    about = f"The log-softmax outputs for the first {len(outputs)} test samples."
    columns = ["sample", *names, "index of max", "read as", "true"]
    rows = [
        [i, *(f"{value:.2f}" for value in o.log_probabilities), o.index, names[o.index], names[o.true]]
        for i, o in enumerate(outputs, start=1)
    ]
    if len(names) <= FEW:
        return Table(columns, rows, about)
    head, *body = (list(line) for line in zip(columns, *rows, strict=True))
    return Table([str(cell) for cell in head], body, about)


def per_class_table(result: TestResult) -> Table:
    rows = [
        [written(f.label), f.support, *(_share(value) for value in (f.precision, f.recall, f.f1))]
        for f in result.per_class
    ]
    return Table(["class", "samples", "precision", "recall", "F1"], rows, "–: a share of nothing.")


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2%}"


def _grid(result: TestResult, samples: Samples, index: Sequence[int] | np.ndarray, title: str) -> Figure:
    true, answers = ([result.classes[i] for i in labels[index]] for labels in (result.labels, result.predicted))
    glyphs = samples.images.numpy()[index]
    return Figure(glyph_grid(glyphs, true, answers, title=title), "A wrong answer is framed with dashes and crossed.")

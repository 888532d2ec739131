"""The parts of the results: confusions with their samples, first answers, classes, confidence, curves."""

import numpy as np
import pandas as pd
import streamlit as st

from core.reading import written
from core.report.document import Table
from core.report.figures import SECOND
from core.report.result_blocks import GRID, outputs_table, per_class_table
from core.report.result_figures import calibration_figure, confusion_figure, per_class_figure
from core.report.sample_figures import glyph_grid
from core.training.tested import history_of
from pages.components.figure import CONFIG, show_figure
from pages.components.train.cards import show_cards, show_rows
from pages.components.train.tested import Tested
from pages.components.train.watch import accuracy_figure, loss_figure

Cell = tuple[int, int]  # true class, answer
SUREST = (-1, -1)  # instead of a cell: the mistakes made with most confidence
PAGE = 30  # samples of a cell at once
OUTPUT_PX = {"sample": 64, "index of max": 98, "read as": 68}  # so that all columns fit beside the grid
CHOSEN, MATRIX = "train_cell", "train_confusion"


def confusions(tested: Tested) -> None:
    """The confusion matrix; beside it the samples of the cell that was clicked or chosen."""
    cells = _cells(tested.result.confusion)
    chosen = f"{CHOSEN}_{tested.network.name}_{len(tested.result.classes)}"
    cell = st.session_state.get(chosen, SUREST)
    left, right = st.columns(2, gap="large")
    with left:
        _matrix(tested, cell, chosen)
    with right:
        _samples_of_a_cell(tested, cells if cell in [SUREST, *cells] else [*cells, cell], chosen)


def _matrix(tested: Tested, cell: Cell, chosen: str) -> None:
    """Its key changes with the cell: drawn anew, it marks what is chosen, and Plotly's own selection fades nothing."""
    result = tested.result
    key = f"{MATRIX}_{tested.network.name}_{cell}"
    figure = confusion_figure(result.confusion, result.classes)
    if cell != SUREST:
        true, answer = cell
        figure.add_shape(
            x0=answer - 0.5, x1=answer + 0.5, y0=true - 0.5, y1=true + 0.5, line={"color": SECOND, "width": 3}
        )
    st.plotly_chart(
        figure, key=key, config=CONFIG, selection_mode="points", on_select=lambda: _choose_clicked(key, chosen)
    )
    st.caption(
        "A row for each true class: green is right, red are mistakes, stronger the larger their share of the row. "
        "Click a cell to see its samples."
    )


def _choose_clicked(key: str, chosen: str) -> None:
    if points := st.session_state[key]["selection"]["points"]:
        st.session_state[chosen] = tuple(points[0]["customdata"])


def _samples_of_a_cell(tested: Tested, cells: list[Cell], chosen: str) -> None:
    result = tested.result
    cell = st.selectbox(
        "Look at",
        [SUREST, *cells],
        key=chosen,
        format_func=lambda cell: _described(cell, tested),
        help="Or click a cell of the matrix. Mistakes stand first, the most frequent at the top.",
    )
    if cell == SUREST:
        index = result.most_confident_mistakes(len(result))
    else:
        index = result.cell(*cell)
        index = index[np.argsort(result.confidence[index], kind="stable")]
    if not len(index):
        st.markdown("No mistake was made." if cell == SUREST else "There is no such sample.")
        return
    page = 1
    if (pages := -(-len(index) // PAGE)) > 1:
        page = st.pagination(pages, max_visible_pages=5, key=f"train_cell_page_{cell}_{tested.network.name}")
    (show_rows if tested.samples.is_table else show_cards)(tested, index[(page - 1) * PAGE : page * PAGE])
    order = "the surest first" if cell == SUREST else "the least sure first"
    number = "One sample" if len(index) == 1 else f"{len(index):,} samples, {order}"
    st.caption(f"{number}; # is the place in the test set, % the confidence of the answer.")


def _cells(confusion: np.ndarray) -> list[Cell]:
    """The cells that hold samples: mistakes first, the most frequent first; then what is right."""
    found = [(int(true), int(answer)) for true, answer in np.argwhere(confusion)]
    return sorted(found, key=lambda cell: (cell[0] == cell[1], -confusion[cell] if cell[0] != cell[1] else 0))


def _described(cell: Cell, tested: Tested) -> str:
    result = tested.result
    if cell == SUREST:
        return "The most confident mistakes"
    true, answer = (written(result.classes[i]) for i in cell)
    read = f"{true} read as {answer}" if true != answer else f"{true} read rightly"
    return f"{read}: {result.confusion[cell]:,}"


def first_answers(tested: Tested) -> None:
    """The first nine in a grid, and the outputs for the first ten, as the course asks for them."""
    result, samples = tested.result, tested.samples
    table = outputs_table(result)
    if samples.is_table:
        show_rows(tested, np.arange(min(10, len(result))))
        _outputs(table)
        return
    left, right = st.columns([1, 3])
    with left:
        true, answers = ([result.classes[i] for i in labels[:GRID]] for labels in (result.labels, result.predicted))
        show_figure(
            glyph_grid(samples.images[:GRID].numpy(), true, answers, title="The first nine and their answers"),
            "train_first_grid",
            "Above each sample what it is read as; a wrong answer is crossed and framed with dashes.",
        )
    with right:
        _outputs(table)


def _outputs(table: Table) -> None:
    st.markdown("**What the network puts out for the first ten**")
    widths = {name: st.column_config.Column(width=OUTPUT_PX.get(name, 54)) for name in table.columns}
    show_table(table, "train_outputs", widths if table.columns[-1] == "true" else None)
    st.caption(
        "The logarithm of the probability (log-softmax) of each class: the nearer to 0, the surer. The class with the "
        "largest is the answer."
    )


def show_table(table: Table, key: str, columns: dict | None = None) -> None:
    """A report's table; it can be downloaded as CSV and scrolls where it is large."""
    rows = pd.DataFrame(table.rows, columns=table.columns)
    mixed = [name for name in rows if rows[name].dtype == object]  # numbers and names in one column
    rows = rows.astype(dict.fromkeys(mixed, str))
    st.dataframe(rows, hide_index=True, width="stretch", column_config=columns, key=key)


def each_class(tested: Tested) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_figure(
            per_class_figure(tested.result.per_class),
            "train_per_class",
            "Precision: of what is read as a class, the share that is it. Recall: of a class, the share that is found.",
        )
    with right:
        table = per_class_table(tested.result)
        show_table(table, "train_per_class_table")
        st.caption("F1 is the harmonic mean of precision and recall.")


def confidence(tested: Tested) -> None:
    result = tested.result
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_figure(
            calibration_figure(result.calibration, result.calibration_error),
            "train_calibration",
            "On the dashed line confidence is honest: of the answers given with 80 % confidence, 80 % are right. The "
            "bars count the answers.",
        )
    with right:
        st.metric(
            "Expected calibration error",
            f"{result.calibration_error * 100:.2f} points",
            help="The mean distance between confidence and accuracy over all answers.",
        )
        st.metric("Mean confidence", f"{result.confidence.mean():.2%}")
        st.metric(
            "Temperature",
            f"{result.temperature:.3f}",
            help="The outputs are divided by it before they become probabilities; it was found on samples that "
            "neither taught nor test the network.",
        )


def _loss_of(tested: Tested) -> str:
    return str(tested.network.passport.training.get("loss") or "cross-entropy")


def learning(tested: Tested) -> None:
    history = history_of(tested.network)
    if history is None or not history.losses:
        st.markdown("No history was kept of this network's training, so there are no curves.")
        return
    log = st.toggle("Logarithmic loss", key="train_results_log")
    left, right = st.columns(2, gap="large")
    with left:
        show_figure(
            loss_figure(history, log, _loss_of(tested)),
            "train_results_loss",
            "Each batch's loss is faint, their running mean a line; the test loss begins before any training.",
        )
    with right:
        if history.epochs:
            show_figure(
                accuracy_figure(history),
                "train_results_accuracy",
                "Training accuracy is counted while learning, with dropout at work: it may lie below the test's.",
            )

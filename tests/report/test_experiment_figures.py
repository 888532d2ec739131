"""The figures of a study hold the trials' own numbers."""

import numpy as np
import pandas as pd
import pytest
from plotly.colors import hex_to_rgb, sample_colorscale

from core.bench.studies import STUDY, fill
from core.errors import ExperimentError
from core.experiments.confirm import Part
from core.experiments.effects import Effect, levels, means
from core.experiments.importance import importance, importance_problem
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.experiments.table import trials_table
from core.report.experiment_confirm_figure import confirm_figure
from core.report.experiment_cost_figures import before_after_figure, cost_figure, learning_figure, pareto_front
from core.report.experiment_figures import (
    HEAT,
    MANY,
    ON_STRONG,
    ON_WEAK,
    STRONG,
    below_focus,
    dimension_figure,
    effects_figure,
    focus,
    heat_figure,
    importance_figure,
    parallel_figure,
    progress_figure,
    thinned,
)


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> pd.DataFrame:
    """Sixty trials; dropout costs much, one was pruned, one failed."""
    storage = Storage(f"sqlite:///{tmp_path_factory.mktemp('home') / 'studies.db'}")
    fill(storage, trials=60)
    found = trials_table(storage, STUDY.name)
    found["accuracy"] -= found["dropout"] / 5
    found.loc[3, ["state", "accuracy"]] = ["pruned", 0.2]
    found.loc[4, ["state", "accuracy", "problem"]] = ["failed", np.nan, "No pixel is left."]
    return found


def names(figure) -> list[str]:
    return [trace.name for trace in figure.data]


def test_the_search_only_ever_rises(table):
    figure = progress_figure(table)
    assert names(figure) == ["trained", "pruned", "best so far"]
    done = table[table["state"] == "complete"]
    np.testing.assert_allclose(figure.data[0].y, done["accuracy"] * 100)
    assert figure.data[1].x.tolist() == [3]
    steps = np.asarray(figure.data[2].y)
    assert (np.diff(steps) >= 0).all()
    assert steps[-1] == done["accuracy"].max() * 100


def test_of_many_trials_some_are_drawn_and_the_best():
    accuracy = np.random.default_rng(0).random(5000)
    many = pd.DataFrame({"accuracy": accuracy})
    shown = thinned(many)
    assert len(shown) <= MANY + 1
    assert accuracy.argmax() in shown.index
    assert len(thinned(many[:MANY])) == MANY


def test_trials_that_went_wrong_do_not_flatten_the_others():
    values = pd.Series([*np.linspace(95, 98, 30), 10.0, 11.0, np.nan])
    low, high = focus(values)
    assert 80 < low < 95
    assert 98 < high < 100
    assert below_focus(values) == 2
    assert focus(pd.Series([np.nan])) is None


def test_effects_show_what_is_decided_by_their_marks():
    effects = [
        Effect("dropout", "0.5", "0.1", -0.04, -0.05, -0.03, 0.001, 0.002, 12),
        Effect("filters", "16", "8", 0.01, -0.01, 0.03, 0.3, 0.3, 12),
        Effect("filters", "8, 16", "8", 0.02, np.nan, np.nan, 1.0, 1.0, 1),
    ]
    decided, open_ = effects_figure(effects).data
    assert (decided.name, list(decided.y), list(decided.x)) == ("decided", [0], [-4.0])
    assert (open_.marker.symbol, list(open_.y)) == ("circle-open", [1, 2])
    np.testing.assert_allclose(decided.error_x.array, [1.0])
    assert open_.error_x.array[1] is None
    assert list(effects_figure(effects).layout.yaxis.ticktext) == ["Dropout: 0.5", "Filters: 16", "Filters: 8, 16"]


def test_a_dimension_shows_every_trial_and_each_values_mean(table):
    figure = dimension_figure(table, levels(STUDY, table, "dropout"), means(STUDY, table, "dropout"), "Dropout")
    assert names(figure) == ["a trial", "pruned", "mean and interval"]
    assert len(figure.data[0].x) == 58
    done = table[table["state"] == "complete"]
    np.testing.assert_allclose(figure.data[2].y, done.groupby("dropout")["accuracy"].mean() * 100)
    assert set(np.round(figure.data[0].x)) == {0, 1, 2}  # beside their value, not at another's
    assert figure.layout.xaxis.title.text == "dropout"


def contrast(ink: str, cell: tuple[float, ...]) -> float:
    """Of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""

    def luminance(rgb) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    dark, light = sorted([luminance(c / 255 for c in hex_to_rgb(ink)), luminance(cell)])
    return (light + 0.05) / (dark + 0.05)


def test_a_heat_map_holds_the_cells_means(table):
    figure = heat_figure(
        table, levels(STUDY, table, "dropout"), levels(STUDY, table, "activation"), ("Dropout", "Bend")
    )
    done = table[table["state"] == "complete"]
    expected = done.pivot_table(index="activation", columns="dropout", values="accuracy") * 100
    np.testing.assert_allclose(figure.data[0].z, expected.loc[list(STUDY.dimensions["activation"])])
    assert figure.data[1].text[0] == f"{expected.loc['relu', 0.1]:.1f}"
    cells = sample_colorscale(HEAT, [i / 20 for i in range(21)], colortype="tuple")
    inks = [ON_STRONG if i / 20 > STRONG else ON_WEAK for i in range(21)]
    assert min(contrast(ink, cell) for ink, cell in zip(inks, cells, strict=True)) > 4
    one = table[(table["dropout"] == 0.1) & (table["activation"] == "relu")]
    heat_figure(one, levels(STUDY, one, "dropout"), levels(STUDY, one, "activation"), ("Dropout", "Bend"))


def test_all_dimensions_at_once(table):
    found = {name: levels(STUDY, table, name) for name in STUDY.dimensions}
    (lines,) = parallel_figure(table, found, {name: name for name in found}).data
    assert [axis.label for axis in lines.dimensions] == [*STUDY.dimensions, "accuracy (%)"]
    codes = np.round(lines.dimensions[0]["values"]).astype(int)
    done = table[table["state"] == "complete"]
    assert [(0.1, 0.3, 0.5)[code] for code in codes] == done["dropout"].tolist()


def test_importance_tells_what_matters_from_chance(table):
    found = importance(STUDY, table[:30])
    assert found.method == "fANOVA"
    assert next(iter(found.shares)) == "dropout"
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.shares["dropout"] > 2 * found.chance["dropout"]
    figure = importance_figure(found.shares, found.chance, found.method)
    np.testing.assert_allclose(figure.data[0].x, np.array(list(found.shares.values())) * 100)
    assert not importance_problem(STUDY, table[:30])
    with pytest.raises(ExperimentError, match="at least 10"):
        importance(STUDY, table[:5])
    assert "equally accurate" in importance_problem(STUDY, table.assign(accuracy=0.5))
    single = Study("?", dataset="digits-8x8", dimensions={"dropout": (0.1, 0.3, 0.5)})
    assert "fewer than two" in importance_problem(single, table)


def test_nothing_beats_the_front():
    rng = np.random.default_rng(1)
    cost, accuracy = rng.integers(1, 20, 100).astype(float), rng.integers(50, 99, 100) / 100
    front = pareto_front(cost, accuracy)
    beaten = [
        any(
            (c <= cost[i] and a > accuracy[i]) or (c < cost[i] and a >= accuracy[i])
            for c, a in zip(cost, accuracy, strict=True)
        )
        for i in range(100)
    ]
    assert {(cost[i], accuracy[i]) for i in front} == {(cost[i], accuracy[i]) for i in range(100) if not beaten[i]}
    assert len(pareto_front(np.empty(0), np.empty(0))) == 0


def test_costs_curves_and_beginnings(table):
    figure = cost_figure(table, "parameters")
    assert names(figure) == ["trained", "pruned", "Pareto front"]
    assert figure.layout.xaxis.title.text == "parameters"
    run = {"before": {"accuracy": 0.1}, "epochs": [{"epoch": 1, "accuracy": 0.6}, {"epoch": 2, "accuracy": 0.8}]}
    other = {"before": {"accuracy": 0.1}, "epochs": [{"epoch": 1, "accuracy": 0.7}]}
    curves = learning_figure({7: [run, other], 3: [other]}, pruned=[3])
    np.testing.assert_allclose(curves.data[0].y, [10, 65])  # as far as both went
    assert names(curves) == ["trial 7", "trial 3 (pruned)", None]
    bars = before_after_figure(table, {0: "0", 1: "1"})
    assert list(bars.layout.yaxis.ticktext) == [str(n) for n in table[:2].sort_values("accuracy")["number"][::-1]]


def test_a_confirmation_shows_its_three_parts():
    parts = [
        Part("In the search", 0.98, np.nan, np.nan, 1),
        Part("New", 0.97, 0.96, 0.98, 3),
        Part("Test", 0.95, 0.9, 0.97, 3),
    ]
    figure = confirm_figure(parts)
    assert [trace.x[0] for trace in figure.data] == [98, 97, 95]
    assert figure.data[0].error_x.array == (0,)
    np.testing.assert_allclose(figure.data[2].error_x.arrayminus, [5])
    assert confirm_figure(parts, narrow=True).data[0].text == "98.00 %"

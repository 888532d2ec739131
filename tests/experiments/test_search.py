"""What comes next: every possible configuration once, nothing impossible, and the same after an interruption."""

from dataclasses import replace

import optuna
import pytest

from core.errors import ExperimentError
from core.experiments.search import Known, Search, frozen, pruner_of
from core.experiments.study import Range, Study
from tests.experiments.here import carry_out

BASE = Study(question="?", dataset="digits-8x8", dimensions={"dropout": (0.1,)})
HALF = {"conv_layers": (1, 2, 3, 4, 5), "filters": (2, (2, 4)), "dropout": (0.1, 0.2)}  # 10 of 20 are possible


def walk(study, accuracy, most=1000, known=None):
    """The configurations in turn, each answered before the next is asked for."""
    search, known, found = Search(study), known or Known(), []
    while len(found) < most and (configuration := search.next(known)) is not None:
        known.begun.add(frozen(configuration))
        known.accuracy[frozen(configuration)] = accuracy(configuration)
        found.append(configuration)
    return found


def test_a_grid_and_random_draws_name_each_possible_configuration_once():
    grid = walk(replace(BASE, dimensions=HALF), lambda _: 0.5)
    drawn = walk(replace(BASE, dimensions=HALF, strategy="random", trials=50), lambda _: 0.5)
    assert len(grid) == len(drawn) == 10
    assert {frozen(c) for c in grid} == {frozen(c) for c in drawn}
    assert [frozen(c) for c in grid] != [frozen(c) for c in drawn]
    assert all(not BASE.problem(c) for c in drawn)


def test_one_at_a_time_holds_the_others_at_the_best_and_ends_when_nothing_changes():
    study = replace(
        BASE, dimensions={"dropout": (0.1, 0.2, 0.3), "batch_size": (16, 32), "filters": (2, 4)}, rounds=5,
        strategy="one-at-a-time",
    )  # fmt: skip
    best = {"dropout": 0.3, "batch_size": 32, "filters": 4}
    found = walk(study, lambda c: sum(c[name] == value for name, value in best.items()))
    lines = [(c["dropout"], c["batch_size"], c["filters"]) for c in found]
    # each line in turn; then a second round over the best, of which some is known, and no third
    assert lines == [
        (0.1, 16, 2), (0.2, 16, 2), (0.3, 16, 2), (0.3, 32, 2), (0.3, 32, 4),
        (0.1, 32, 4), (0.2, 32, 4), (0.3, 16, 4),
    ]  # fmt: skip
    fewest = walk(replace(study, objectives=("seconds",)), lambda c: c["dropout"] + c["batch_size"] + c["filters"])
    assert frozen(fewest[0]) == (0.1, 16, 2)
    assert len(fewest) == 5  # the first is the quickest: the first round changes nothing


def test_one_at_a_time_leaves_out_what_failed_and_begins_at_what_is_possible():
    study = replace(BASE, dimensions={"conv_layers": (5, 2, 1), "dropout": (0.1, 0.2)}, strategy="one-at-a-time")
    found = walk(study, lambda c: float("nan") if c["conv_layers"] == 1 else c["dropout"])
    assert frozen(found[0]) == (2, 0.1)
    assert {"conv_layers": 2, "dropout": 0.2} in found
    assert all(c["conv_layers"] != 5 for c in found)


def test_one_at_a_time_begins_with_the_first_values_however_many_there_are():
    names = ("dropout", "second_dropout", "momentum", "averaging")
    many = {name: tuple(i / 30 for i in range(30)) for name in names}
    study = replace(BASE, dimensions=many, strategy="one-at-a-time", rounds=1)
    found = walk(study, lambda c: -abs(c["momentum"] - 0.5))
    assert frozen(found[0]) == (0.0, 0.0, 0.0, 0.0)
    assert len(found) == 4 * 29 + 1
    assert found[-1]["momentum"] == 0.5


def test_where_nothing_is_possible_the_reason_is_told():
    with pytest.raises(ExperimentError, match="No combination of this study is possible: filters: only the network"):
        Search(replace(BASE, network="mlp", dimensions={"filters": (2, 4)}))


@pytest.mark.parametrize("strategy", ["random", "tpe"])
def test_draws_never_spend_a_trial_on_what_is_impossible_and_go_on_after_a_stop(strategy, tmp_path):
    study = replace(
        BASE, name="drawn", strategy=strategy, trials=13, settings={"epochs": 1, "samples": 20, "dense_nodes": 2},
        dimensions={"conv_layers": (1, 4, 5), "filters": (1,), "learning_rate": Range(0.01, 0.3, log=True)},
    )  # fmt: skip
    first, *_ = carry_out(study, tmp_path, most=5)
    _, _, storage = carry_out(study, tmp_path)
    trials = storage.open("drawn")[1].trials
    assert len(trials) == 13
    assert {trial.state for trial in trials} == {optuna.trial.TrialState.COMPLETE}
    assert {trial.params["conv_layers"] for trial in trials} == {1}
    assert len({trial.params["learning_rate"] for trial in trials}) == 13
    assert {done.trial for done in first} == set(range(5))


def test_one_at_a_time_goes_on_after_a_stop_where_it_stood(tmp_path):
    study = replace(
        BASE, name="walk", strategy="one-at-a-time", settings={"epochs": 1, "samples": 30, "dense_nodes": 2},
        dimensions={"filters": (1, 2, 3), "learning_rate": (0.01, 0.1)},
    )  # fmt: skip
    (tmp_path / "whole").mkdir()
    whole, *_ = carry_out(study, tmp_path / "whole")
    first, *_ = carry_out(study, tmp_path, most=2)
    rest, *_ = carry_out(study, tmp_path)
    both = {frozen(done.params): done.values for done in first + rest}
    assert both == {frozen(done.params): done.values for done in whole}


def test_pruners_end_what_is_worse_than_half_of_the_others():
    study = replace(BASE, pruning="median", settings={"epochs": 3})
    rows = optuna.create_study(direction="maximize", pruner=pruner_of(study))
    ended = []
    for level in (0.9, 0.5, 0.7, 0.6, 0.8):  # before the fourth, the middle is 0.7
        trial = rows.ask()
        for epoch in (1, 2, 3):
            trial.report(level, epoch)
            if epoch < 3 and trial.should_prune():
                break
        ended.append(epoch)
        rows.tell(trial, level)
    assert ended == [3, 3, 3, 1, 3]


def test_hyperband_knows_how_long_the_network_is_trained():
    pruner = pruner_of(replace(BASE, pruning="hyperband", network="mlp"))
    assert pruner._max_resource == 10  # the recipe's
    assert isinstance(pruner_of(BASE), optuna.pruners.NopPruner)

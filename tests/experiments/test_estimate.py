"""The estimate before a study: its counts against the study itself, its arithmetic against sums by hand."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import DataError, ExperimentError
from core.experiments.estimate import Estimate, Estimating, _shared_out, _told, estimate, estimating
from core.experiments.ledger import Ledger
from core.experiments.plan import planned
from core.experiments.study import Range, Study
from core.experiments.timing import Cost, Model, key_of, kind_of, spread, training_s, work_of
from core.training.config import TrainingConfig
from tests.experiments.here import carry_out

SHA = "0" * 64
BASE = Study(question="?", name="told", dataset="digits-8x8", dimensions={"dropout": (0.1, 0.2)})


def told(study, **how):
    steps = estimate(study, **how)
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return seen, end.value


def test_the_plan_counts_what_is_shared_and_what_is_impossible():
    study = replace(
        BASE, seeds=2, folds=3, dimensions={"conv_layers": (1, 2, 5), "dropout": (0.1, 0.2), "epochs": (1, 2, 4)}
    )
    plan = planned(study, SHA)
    assert (plan.trials, plan.trainings, plan.exact) == (12, 4 * 6, True)
    assert {run.epochs for run in plan.runs} == {4}
    assert {run.trials for run in plan.runs} == {3}


def test_trials_that_are_drawn_are_rehearsed():
    wide = replace(BASE, strategy="tpe", trials=5000, dimensions={"learning_rate": Range(0.01, 0.1)})
    plan = planned(wide, SHA)
    assert (plan.trials, plan.trainings, len(plan.runs), plan.exact) == (5000, 5000, 1000, False)
    few = replace(BASE, strategy="random", trials=50)
    assert planned(few, SHA).trials == 2  # there are no more
    line = replace(BASE, strategy="one-at-a-time", dimensions={"dropout": (0.1, 0.2, 0.3), "filters": (4, 8)})
    assert 4 <= planned(line, SHA).trials <= 6  # a round is 4; of 6 there are no more


def test_an_estimate_knows_what_the_storage_holds(tmp_path):
    study = replace(
        BASE, seeds=2, settings={"samples": 60, "filters": 2, "conv_layers": 1, "dense_nodes": 4},
        dimensions={"batch_size": (20, 30), "epochs": (1, 3)},
    )  # fmt: skip
    threads = torch.get_num_threads()
    seen, before = told(study, workers=2, budget_s=0.5, start_s=7.0)
    assert torch.get_num_threads() == threads
    assert all(isinstance(step, Estimating) and step.total == 2 for step in seen)
    assert (before.trials, before.trainings, before.apart, before.known) == (4, 4, 8, 0)
    assert before.training_s > 0
    assert before.wall_s >= 7 + before.training_s / 2
    assert before.price(6.0) == pytest.approx(2 * before.wall_s / 600)
    done, pool, storage = carry_out(study, tmp_path)
    assert len(done) == before.trials
    assert sum(len(task.units) for task in pool.tasks) == before.trainings
    units = [unit for task in pool.tasks for unit in task.units]
    records = Ledger(storage).read([unit.key for unit in units]).values()
    assert all(record["state"] == "finished" for record in records)
    _, after = told(study, workers=2, storage=storage, start_s=7.0)
    assert (after.trainings, after.known, after.training_s, after.wall_s) == (0, 4, 0.0, 7.0)


def test_a_process_of_its_own_tells_the_same_and_what_is_wrong():
    study = replace(BASE, settings={"samples": 60, "filters": 2, "dense_nodes": 4, "epochs": 1})
    *steps, last = estimating(study, 1)
    assert isinstance(last, Estimate)
    assert steps[0] == Estimating(0, 1)
    assert (last.trials, last.trainings, last.kinds) == (2, 2, 1)  # dropout does not matter to the time
    assert last.wall_s > last.training_s


def test_a_stop_ends_the_process_and_missing_data_are_named(tmp_path):
    stop = threading.Event()
    stop.set()
    assert list(estimating(BASE, 1, stop=stop)) == []
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        told(replace(BASE, dataset=f"heart:{tmp_path}/none.csv", network="heart-11-10-1"), workers=1)
    with pytest.raises(ExperimentError, match="none.csv"):
        _told({"problem": "/none.csv does not exist"})


def test_work_is_counted_as_layers_have_it():
    config = TrainingConfig(network="mlp")
    assert work_of(config, 10)[0] == 784 * 512 + 512 * 512 + 512 * 10
    report = work_of(TrainingConfig(network="report"), 10)
    assert report[0] == 24 * 24 * 10 * 25 + 8 * 8 * 20 * 250 + 320 * 50 + 50 * 10
    assert report[2] == 21_840


def test_times_of_others_are_told_from_a_few():
    """Times made by a law that the model can hold: it finds the law."""
    kinds = [kind_of(TrainingConfig(network="cnn", batch_size=size).to_json(), 10) for size in (16, 32, 64, 128, 256)]
    wider = [
        replace(kind, key=str(i), features=(1, p := 1e6 * (i + 1), p / (i + 2), 1e5)) for i, kind in enumerate(kinds)
    ]
    law = np.array([1e-3, 2e-9, 5e-9, 1e-9])
    timed = [(kind, Cost(float(law @ kind.features), 1e-6)) for kind in wider[:4]]
    found = Model(timed).cost(wider[4])
    assert found.step_s == pytest.approx(float(law @ wider[4].features), rel=0.05)
    assert Model(timed).cost(wider[0]) == timed[0][1]


def test_a_training_s_length_is_its_steps_and_evaluations():
    config = TrainingConfig(batch_size=50, epochs=3)
    assert training_s(config, Cost(2.0, 0.5), 100, 7) == 3 * 2 * 2.0 + 4 * 7 * 0.5
    assert 3 * 2 * 2.0 < training_s(config, Cost(2.0, 0.0), 110, 7) < 3 * 3 * 2.0


def test_kinds_differ_where_steps_do():
    plain = TrainingConfig(network="cnn").to_json()
    assert key_of(plain | {"learning_rate": 1.0, "dropout": 0.1, "epochs": 9}) == key_of(plain)
    assert key_of(plain | {"batch_size": 3}) != key_of(plain)
    assert key_of(plain | {"averaging": 0.9}) != key_of(plain)


def test_tasks_go_to_the_worker_that_is_free():
    assert _shared_out([3, 1, 1, 1], 2) == 3
    assert _shared_out([1, 1, 3], 2) == 4
    assert _shared_out([1, 2], 5) == 2


def test_the_first_few_places_stand_for_all():
    assert list(spread(9))[:5] == [0, 8, 4, 2, 6]
    for count in (1, 2, 7, 300):
        places = list(spread(count))
        assert sorted(places) == list(range(count))

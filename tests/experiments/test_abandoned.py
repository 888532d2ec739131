"""A worker that hears of a stop before its driver does hands back less than it was asked for."""

from concurrent.futures import Future
from dataclasses import replace

import pytest

from core.experiments.driver import Driver
from core.experiments.ledger import Lease
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.experiments.unit import Record, Task, work
from tests.experiments.here import Here, carry_out

STUDY = Study(
    question="?", name="stopped", dataset="digits-8x8", seeds=2, dimensions={"batch_size": (50,)},
    settings={"samples": 100, "dense_nodes": 4, "filters": 2, "conv_layers": 1, "epochs": 1},
)  # fmt: skip


@pytest.mark.parametrize("carried_out", [0, 1])
def test_a_trial_that_was_given_up_is_not_taken_for_one_that_ended(tmp_path, carried_out):
    storage = Storage(f"sqlite:///{tmp_path}/studies.db")

    class Quick(Here):
        def submit(self, task: Task) -> "Future[list[Record]]":
            Lease(storage, "stopped").ask_to_stop()
            future: Future[list[Record]] = Future()
            future.set_result(work(task)[:carried_out])
            return future

    assert list(Driver(STUDY, storage, Quick()).run()) == []
    (trial,) = storage.open("stopped")[1].trials
    assert trial.state.name == "RUNNING"
    _, ended = Lease(storage, "stopped").look()
    assert ended["ended"] == "stopped"
    (done,), _, _ = carry_out(STUDY, tmp_path)
    assert done.state == "complete"
    assert len(storage.open("stopped")[1].trials[0].user_attrs["result"]["accuracies"]) == 2


def test_repetitions_keep_the_order_of_their_seeds_whichever_was_trained_first(tmp_path):
    second = replace(STUDY, name="second", seed=1, seeds=1)
    (alone,), _, storage = carry_out(second, tmp_path)
    carry_out(STUDY, tmp_path)
    accuracies = [storage.open(name)[1].trials[0].user_attrs["result"]["accuracies"] for name in ("second", "stopped")]
    (of_second,), (of_first, again) = accuracies
    assert alone.state == "complete"
    assert again == of_second
    assert of_first != of_second

"""Studies in the background: the one real training among the tests of execution."""

import json
import os

import pytest

from core.bench import sleeping
from core.errors import ExperimentError
from core.experiments import jobs
from core.experiments.data_cache import sha256_of
from core.experiments.storage import Storage, own_storage
from core.experiments.study import Study
from core.experiments.unit import Task, Unit, work
from tests.experiments.postgres import wait_until

STUDY = Study(
    "Does dropout help?", {"dropout": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), "filters": (4, 8)}, "real",
    dataset="digits-8x8",  # so many trials that a stop comes before the last, however quick they are
    settings={"epochs": 2, "conv_layers": 1, "dense_nodes": 16},
)  # fmt: skip


def test_a_study_stopped_in_the_middle_goes_on_to_the_figures_of_single_trainings(inkling_home):
    assert jobs.state_of("real").state == "not begun"
    jobs.start(STUDY)
    assert jobs.state_of("real").state == "running"
    with pytest.raises(ExperimentError, match="being worked on already; watch it, or stop it first"):
        jobs.start(STUDY)
    wait_until(lambda: jobs.state_of("real").finished >= 1, 120)
    jobs.stop("real")
    wait_until(lambda: jobs.state_of("real").state == "interrupted", 60)
    stopped = jobs.state_of("real")
    assert stopped.message == "It was stopped, and can go on."
    assert 1 <= stopped.finished < 16 == stopped.planned
    assert stopped.running == 0

    jobs.start(STUDY)
    wait_until(lambda: jobs.state_of("real").running > 0, 60)
    at_work = jobs.state_of("real")
    assert (at_work.planned, at_work.executor, at_work.failed) == (16, "processes", 0)
    wait_until(lambda: jobs.state_of("real").state == "finished", 120)
    assert jobs.state_of("real").finished == 16

    trials = Storage().open("real")[1].trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 16
    last = trials[-1]
    configuration = {"dropout": last.params["dropout"], "filters": last.params["filters"]}
    text = STUDY.setup(configuration).text()
    unit = Unit(text, sha256_of("digits-8x8"), 0)
    (alone,) = work(Task((unit,), f"sqlite:///{inkling_home / 'other.db'}", "alone", 0))
    assert [alone["epochs"][-1]["accuracy"]] == last.user_attrs["result"]["accuracies"]
    log = [json.loads(line) for line in jobs.log_file("real").read_text("utf-8").splitlines()]
    assert len({line["trial"] for line in log if "earlier" in line}) == stopped.finished


def test_a_driver_ends_with_its_server_and_the_study_is_seen_as_cut_off(inkling_home, monkeypatch):
    asked = sleeping.SleepingStudy("Who?", {"batch_size": (32, 64)}, "cut", dataset="digits-8x8")
    Storage().keep(asked)
    place = Storage()
    from core.experiments.ledger import Lease

    lease = Lease(place, "cut")
    assert lease.take()
    lease.beat({"planned": 2})
    assert jobs.state_of("cut").state == "running"
    lease.ask_to_stop()
    assert jobs.state_of("cut").state == "stopping"
    monkeypatch.setattr(os, "kill", _no_such_process)
    state = jobs.state_of("cut")
    assert (state.state, state.planned) == ("interrupted", 2)
    assert state.message == jobs.CUT_OFF


def _no_such_process(process: int, signal: int) -> None:
    raise ProcessLookupError


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"executor": "cloud"}, "Trials run on one of: processes, dask; not on 'cloud'"),
        ({"storage": "postgresql+psycopg://me:secret@127.0.0.1:1/none"}, r"me:\*\*\*@127.0.0.1:1/none does not answer"),
    ],
)
def test_what_cannot_start_says_so_at_once(asked, match):
    with pytest.raises(ExperimentError, match=match):
        jobs.start(STUDY, **asked)


def test_a_study_of_that_name_that_is_another_one_is_not_touched():
    jobs.opened(own_storage()).keep(STUDY)
    other = Study("Another question?", {"dropout": (0.1,)}, "real", dataset="digits-8x8")
    with pytest.raises(ExperimentError, match="Another study is called 'real'"):
        jobs.start(other)

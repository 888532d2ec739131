"""Trials that differ in their epochs only share a run, and lose nothing by it."""

from dataclasses import replace

from core.experiments.ledger import Lease, Ledger
from core.experiments.study import Study
from tests.experiments.here import carry_out

STUDY = Study(
    question="?", name="shared", dataset="digits-8x8", seeds=2,
    settings={"samples": 100, "dense_nodes": 4, "filters": 2, "conv_layers": 1},
    dimensions={"batch_size": (20, 50), "epochs": (1, 2, 4)},
)  # fmt: skip


def test_a_shared_run_gives_the_numbers_of_separate_runs_bit_for_bit(tmp_path):
    together, pool, storage = carry_out(STUDY, tmp_path)
    assert len(together) == 6
    assert len(pool.tasks) == 2
    assert sum(len(task.units) for task in pool.tasks) == 4  # two seeds each
    shared = Ledger(storage).read([unit.key for task in pool.tasks for unit in task.units])
    for epochs in (1, 2, 4):
        alone = replace(
            STUDY, name=f"alone-{epochs}", dimensions={"batch_size": (20, 50)},
            settings=STUDY.settings | {"epochs": epochs, "schedule": "constant"},
        )  # fmt: skip
        (tmp_path / str(epochs)).mkdir()
        done, own_pool, own_storage = carry_out(alone, tmp_path / str(epochs))
        for trial in done:
            same = next(t for t in together if t.params == trial.params | {"epochs": epochs})
            assert same.values == trial.values
        for record in Ledger(own_storage).read([u.key for task in own_pool.tasks for u in task.units]).values():
            twin = next(
                other for other in shared.values()
                if other["seed"] == record["seed"]
                and other["setup"]["config"]["batch_size"] == record["setup"]["config"]["batch_size"]
            )  # fmt: skip
            assert len(record["epochs"]) == epochs
            for mine, its in zip(record["epochs"], twin["epochs"], strict=False):
                assert mine | {"seconds": 0} == its | {"seconds": 0}


def test_what_was_trained_is_not_trained_again_whichever_study_asks(tmp_path):
    carry_out(STUDY, tmp_path)
    done, pool, _ = carry_out(replace(STUDY, name="again"), tmp_path)
    assert len(done) == 6
    assert pool.tasks == []
    assert all(trial.cached for trial in done)
    more = replace(STUDY, name="more", strategy="random", trials=10)
    done, pool, storage = carry_out(more, tmp_path)
    assert (len(done), pool.tasks) == (6, [])
    _, ended = Lease(storage, "more").look()
    assert (ended["planned"], ended["ended"]) == (6, "finished")
    assert ended["message"].startswith("All 6 combinations that are possible were tried")

"""Runs on disk: repeatable, stopped, taken up again, diverged, on a disk that is full."""

import dataclasses
import errno
import json
import threading

import pytest
import torch
from safetensors.torch import load_file

from core.errors import NetworkError, TrainingError
from core.networks import open_network
from core.networks.spec import CnnShape
from core.training import History, TrainingConfig, create_run, list_runs, open_run
from core.training.execute import TrainingResult, execute, train
from core.training.fit import BatchDone, EpochDone, TrainingDiverged, TrainingStopped, Untrained
from core.training.recorder import keeps_snapshot
from core.training.runs import EPOCH, read_history


def config(**changes) -> TrainingConfig:
    plain = {"dataset": "digits-8x8", "schedule": "constant", "learning_rate": 0.02, "threads": 1, "epochs": 2}
    return TrainingConfig(**plain | changes)


def weights(name: str) -> dict[str, torch.Tensor]:
    return load_file(open_run(name).folder / "weights.safetensors")


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def stop_after(epochs: int, settings: TrainingConfig, name: str) -> list:
    """A training that is stopped a few batches after so many whole epochs."""
    stop, events = threading.Event(), []
    for event in train(settings, name, stop=stop):
        events.append(event)
        if isinstance(event, BatchDone) and event.epoch == epochs + 1 and event.step % 5 == 4:
            stop.set()
    return events


def test_a_run_tells_everything_about_its_training():
    events = list(train(config(), "mine"))
    run = open_run("mine")
    history = run.history
    assert (run.state, history.kept, history.progress) == ("finished", True, 1.0)
    untrained = next(e for e in events if isinstance(e, Untrained))
    assert history.untrained == {"test_loss": untrained.test_loss, "test_accuracy": untrained.test_accuracy}
    assert 1.5 < untrained.test_loss < 4, "chance is about the logarithm of ten"
    assert history.epochs == [e.to_json() for e in events if isinstance(e, EpochDone)]
    batches = [e for e in events if isinstance(e, BatchDone)]
    assert history.examples == [b.examples for b in batches]
    assert history.losses == pytest.approx([b.loss for b in batches])
    assert history.examples_per_second > 0


def test_snapshots_are_dense_at_first_and_the_last_is_the_network():
    list(train(config(), "mine"))
    run = open_run("mine")
    per_epoch = len(run.history.examples) // 2
    first = [0, 1, 2, 5, 10, 20]
    assert [s.step for s in run.snapshots()] == [*first, per_epoch, 2 * per_epoch]
    assert [s.epoch for s in run.snapshots()] == [0] * len(first) + [1, 2]
    assert same(load_file(run.snapshots()[-1].file), weights("mine"))
    assert not same(load_file(run.snapshots()[0].file), load_file(run.snapshots()[1].file))
    assert [n for n in range(1, 101) if keeps_snapshot(n)] == [1, 2, 5, 10, 20, 50, 100]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "learning_rate": 1e-3},
        {"schedule": "one-cycle", "augmentation": "handwriting", "averaging": 0.9, "negatives": 60},
        {"augmentation": "pictures", "network": "cnn", "cnn": CnnShape(filters=(4, 8), batch_norm=True)},
    ],
    ids=["sgd", "adam", "one-cycle", "batch norm"],
)
def test_a_stopped_run_goes_on_as_if_it_had_never_paused(changes):
    settings = config(epochs=3, **changes)
    list(train(settings, "long"))
    assert isinstance(stop_after(1, settings, "paused")[-1], TrainingStopped)
    paused = open_run("paused")
    assert (paused.state, len(paused.history.epochs), paused.history.kept) == ("stopped", 1, True)
    assert open_network("paused").passport.training["epochs_done"] == 1
    list(execute(paused))
    assert same(weights("paused"), weights("long"))
    figures = ("epoch", "examples", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
    resumed, whole = (
        [{key: epoch[key] for key in figures} for epoch in open_run(name).history.epochs] for name in ("paused", "long")
    )
    assert resumed == whole
    assert open_run("paused").history.losses == open_run("long").history.losses
    assert [s.step for s in open_run("paused").snapshots()] == [s.step for s in open_run("long").snapshots()]


def test_more_epochs_give_what_one_longer_training_gives():
    list(train(config(epochs=1), "short"))
    longer = open_run("short").extended(2)
    assert longer.config == config(epochs=3)
    longer.write()
    list(execute(longer))
    list(train(config(epochs=3), "long"))
    assert same(weights("short"), weights("long"))


def test_more_epochs_of_a_planned_schedule_begin_it_anew():
    one_cycle = config(epochs=1, schedule="one-cycle")
    list(train(one_cycle, "first"))
    longer = open_run("first").extended(1)
    assert longer.config == config(epochs=1, more_epochs=(1,), schedule="one-cycle")
    longer.write()
    list(execute(longer))
    list(train(longer.config, "planned"))
    assert same(weights("first"), weights("planned"))
    assert open_run("first").history.progress == 1.0


def test_the_same_seed_repeats_a_run_and_another_does_not():
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        list(train(config(epochs=1, seed=seed), name))
    assert same(weights("one"), weights("again"))
    assert not same(weights("one"), weights("other"))


def test_a_run_that_diverges_says_where_and_keeps_the_last_good_weights():
    with pytest.raises(TrainingDiverged, match=r"diverged at step \d+.*smaller learning rate than 1e\+06"):
        list(train(config(learning_rate=1e6), "wild"))
    run = open_run("wild")
    assert run.state == "diverged"
    assert "diverged at step" in run.history.message
    last = load_file(run.snapshots()[-1].file)
    assert all(bool(tensor.isfinite().all()) for tensor in last.values())
    assert max(float(tensor.abs().max()) for tensor in last.values()) < 10, "not the ones that led to the loss"
    with pytest.raises(NetworkError, match="wild"):
        open_network("wild")


def test_a_run_that_diverges_late_keeps_its_last_whole_epoch(monkeypatch):
    settings = config(epochs=3)
    per_epoch = len(open_events(settings))
    from core.training.fit import Trainer

    learn = Trainer._learn

    def learn_then_break(trainer, chosen, strength, step):
        if step == 2 * per_epoch + 3:
            with torch.no_grad():
                trainer.network.fc2.bias.fill_(float("nan"))
        return learn(trainer, chosen, strength, step)

    monkeypatch.setattr(Trainer, "_learn", learn_then_break)
    with pytest.raises(TrainingDiverged):
        list(train(settings, "late"))
    run = open_run("late")
    assert (run.state, run.history.kept) == ("diverged", True)
    assert open_network("late").passport.training["epochs_done"] == 2
    assert same(weights("late"), load_file(run.snapshots()[-1].file))


def open_events(settings: TrainingConfig) -> list[BatchDone]:
    """The batches of one epoch."""
    events = train(TrainingConfig(**settings.__dict__ | {"epochs": 1}), "counted")
    return [e for e in events if isinstance(e, BatchDone)]


def test_a_full_disk_breaks_a_run_off_with_its_reason_and_loses_no_epoch(monkeypatch):
    import core.training.recorder

    settings, whole = config(epochs=3), core.training.recorder.write_atomically

    def full(file, content):
        if file.name == "checkpoint.safetensors" and file.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(file, content)

    with monkeypatch.context() as patch:
        patch.setattr(core.training.recorder, "write_atomically", full)
        with pytest.raises(TrainingError, match="broke off: No space left on device. It can go on"):
            list(train(settings, "full"))
    assert open_run("full").state == "failed"
    list(execute(open_run("full")))
    list(train(settings, "long"))
    assert same(weights("full"), weights("long"))


def test_two_runs_of_the_same_name_are_refused_and_the_first_is_whole():
    list(train(config(epochs=1), "mine"))
    before = weights("mine")
    with pytest.raises(NetworkError, match="mine"):
        create_run(config(), "mine")
    with pytest.raises(NetworkError, match="digits"):
        create_run(config(), "digits")
    assert same(weights("mine"), before)


def test_a_run_on_data_that_changed_does_not_go_on():
    stop_after(1, config(epochs=3), "mine")
    run = open_run("mine")
    (run.folder / "run.json").write_text((run.folder / "run.json").read_text().replace(run.data_sha256, "0" * 64))
    with pytest.raises(TrainingError, match="has changed since this training began"):
        list(execute(open_run("mine")))


def test_a_damaged_checkpoint_is_named():
    stop_after(1, config(epochs=3), "mine")
    open_run("mine").checkpoint_file.write_bytes(b"no tensors")
    with pytest.raises(TrainingError, match="checkpoint.safetensors is damaged"):
        list(execute(open_run("mine")))
    assert open_run("mine").state == "failed"


def test_runs_are_listed_and_what_is_no_run_is_not(inkling_home):
    create_run(config(), "a")
    create_run(config(), "b")
    (inkling_home / "networks" / "broken").mkdir()
    (inkling_home / "networks" / "broken" / "run.json").write_text("{")
    assert {run.name for run in list_runs()} == {"a", "b"}
    with pytest.raises(TrainingError, match="no valid record"):
        open_run("broken")
    with pytest.raises(TrainingError, match="There is no training 'none'"):
        open_run("none")


EPOCH_DONE = dict.fromkeys(EPOCH, 1)


@pytest.mark.parametrize(
    "content",
    [
        "[1]",
        "[" * 99_999,
        '{"epochs": [1, 2]}',
        '{"epochs": {"1": 2}}',
        json.dumps({"epochs": [EPOCH_DONE | {"test_loss": "low"}]}),
        json.dumps({"epochs": [{"epoch": 1}]}),
        '{"untrained": {"test_loss": 2.3}}',
        '{"untrained": 7}',
        '{"examples": [64, 128], "losses": [2.3]}',
        '{"examples": ["many"], "losses": [2.3]}',
        '{"examples": [true], "losses": [2.3]}',
        json.dumps({"examples": [10**400], "losses": [2.3]}),
        json.dumps({"examples": [1] * 9999, "losses": [1] * 9999}),
        '{"pending": 3}',
        '{"state": ["running"]}',
        '{"message": 7}',
        '{"batches_a_point": 0}',
        '{"examples_done": "all"}',
        '{"examples_per_second": null}',
        '{"kept": "yes"}',
        '{"colour": "blue"}',
    ],
)
def test_a_history_that_no_training_wrote_is_damaged(tmp_path, content):
    (tmp_path / "history.json").write_text(content)
    with pytest.raises(TrainingError, match="history.json is damaged"):
        read_history(tmp_path)


def test_a_history_holds_the_figures_of_an_epoch_and_none_where_none_lies(tmp_path):
    assert [f.name for f in dataclasses.fields(EpochDone)] == list(EPOCH)
    assert read_history(tmp_path) is None
    (tmp_path / "history.json").write_text(json.dumps({"epochs": [EPOCH_DONE], "examples": [64], "losses": [2.3]}))
    assert read_history(tmp_path) == History(epochs=[EPOCH_DONE], examples=[64], losses=[2.3])


def test_a_long_curve_is_thinned_by_means():
    history = History()
    for batch in range(5001):
        history.add_batch((batch + 1) * 10, float(batch))
    assert history.batches_a_point == 4
    assert 1000 <= len(history.losses) < 2000
    assert history.losses[0] == pytest.approx(1.5), "the mean of 0, 1, 2, 3"
    assert history.examples[0] == 40
    assert history.examples_done == 50_010


def test_the_result_names_the_network_in_the_store():
    result = list(train(config(epochs=1), "mine"))[-1]
    assert isinstance(result, TrainingResult)
    assert result.network.name == "mine"
    assert result.to_json()["parameters"] == 21_840

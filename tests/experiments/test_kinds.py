"""Trials without a training of one network: classic methods and transfer, each against another way to its figures."""

import json

import numpy as np
import pytest
import torch
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from core.data import load
from core.errors import ExperimentError
from core.experiments.data_cache import sha256_of
from core.experiments.setups import setup_of
from core.experiments.study import Study
from core.experiments.trainings import parts
from core.experiments.transfers import letter_parts, with_letters
from core.experiments.unit import Task, Unit, work
from core.networks import open_network
from core.transfer.heads import nearest_means

LETTERS = "digits-8x8"  # any glyphs are letters to a network of other ones
HEADER = "Age,Sex,ChestPainType,RestingBP,Cholesterol,FastingBS,RestingECG,MaxHR,ExerciseAngina,Oldpeak,ST_Slope"


@pytest.fixture
def patients(tmp_path):
    """Eighty made-up patients, the old and breathless ones ill."""
    rng = np.random.default_rng(0)
    lines = [f"{HEADER},HeartDisease"]
    for _ in range(80):
        age, rate, oldpeak = rng.integers(30, 80), rng.integers(90, 190), rng.normal(1, 1)
        ill = int(age / 20 - rate / 50 + oldpeak + rng.normal(0, 0.5) > 1)
        lines.append(f"{age},M,ASY,120,200,0,Normal,{rate},N,{oldpeak:.2f},Flat,{ill}")
    file = tmp_path / "patients.csv"
    file.write_text("\n".join(lines))
    return f"heart:{file}"


def run(setup, dataset, folds, seed=3):
    units = tuple(Unit(setup.text(), sha256_of(dataset), seed, fold, folds) for fold in range(folds))
    return work(Task(units, "sqlite:///:memory:", "none", 0))


def test_a_tree_s_folds_are_scikit_learn_s(patients):
    records = run(setup_of(patients, "shallow-tree", {}), patients, 4)
    whole = load(patients, "train")
    rows, labels = whole.inputs.numpy().astype(np.float64), whole.labels.numpy()
    model = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=4, random_state=3))
    for record, (rest, held) in zip(
        records, StratifiedKFold(4, shuffle=True, random_state=3).split(rows, labels), strict=True
    ):
        fitted = model.fit(rows[rest].astype(np.float32), labels[rest])
        assert record["state"] == "finished"
        assert record["epochs"][0]["accuracy"] == pytest.approx(
            fitted.score(rows[held].astype(np.float32), labels[held])
        )
        assert record["epochs"][0]["train_accuracy"] > record["epochs"][0]["accuracy"] - 0.2
        assert record["parameters"] == fitted[-1].tree_.node_count


def test_a_table_is_scaled_by_what_teaches_alone(patients):
    unit = Unit("{}", sha256_of(patients), 0, 1, 3)
    taught, measured = parts(unit, patients, None)
    assert torch.allclose(taught.inputs.mean(0), torch.zeros(11), atol=1e-5)
    assert measured.inputs[:, 0].mean().abs() > 1e-4
    assert len(taught) + len(measured) == len(load(patients, "train"))


def test_networks_and_classics_stand_in_one_grid(patients):
    study = Study(
        question="?", dataset=patients, folds=2, settings={"epochs": 2},
        dimensions={"network": ("heart-11-10-1", "logistic-regression", "decision-tree")},
    )  # fmt: skip
    assert study.count().possible == 3
    for configuration in study.grid():
        records = run(study.setup(configuration), patients, 2)
        assert [record["state"] for record in records] == ["finished"] * 2
        assert all(record["parameters"] > 0 for record in records)
    with pytest.raises(ExperimentError, match="trial is the method decision-tree; only a network's training"):
        _ = study.setup({"network": "decision-tree"}).config
    with pytest.raises(ExperimentError, match="dropout: decision-tree has no such setting; networks have"):
        study.setup({"network": "decision-tree", "dropout": 0.1})


def transfer(**changes):
    settings = {"source": "report", "letters": "3, 5, 8", "samples": 27, "method": "prototypes"} | changes
    return setup_of(LETTERS, "cnn", settings)


def test_letters_are_drawn_alike_many_and_prototypes_are_the_nearest_means():
    setup = transfer()
    unit = Unit(setup.text(), sha256_of(LETTERS), 5, 1, 3)
    taught, measured = letter_parts(unit, json.loads(setup.text()))
    assert torch.bincount(taught.labels).tolist() == [9, 9, 9]
    assert len(measured) > 130
    own, asked = ({row.numpy().tobytes() for row in part.images} for part in (taught, measured))
    assert not own & asked
    records = run(setup, LETTERS, 3, seed=5)
    assert all(record["state"] == "finished" and len(record["epochs"]) == 1 for record in records)
    accuracies = [record["epochs"][0]["accuracy"] for record in records]
    network = open_network("report").module()
    with torch.inference_mode():
        weight, bias = nearest_means(network.embed(taught.images[:, None] / 255), taught.labels, 3)
        answers = (network.embed(measured.images[:, None] / 255) @ weight.T + bias).argmax(1)
    # the method learns from changed copies as well, so it is near, not the same
    assert accuracies[1] == pytest.approx((answers == measured.labels).float().mean().item(), abs=0.05)


def test_a_transfer_s_epochs_are_one_curve_read_at_several_places():
    long, short = (run(transfer(method="head", epochs=epochs, schedule="constant"), LETTERS, 3)[0] for epochs in (3, 2))
    assert long["state"] == short["state"] == "finished"
    assert [e["accuracy"] for e in long["epochs"][:2]] == [e["accuracy"] for e in short["epochs"]]
    assert [e["loss"] for e in long["epochs"][:2]] == [e["loss"] for e in short["epochs"]]
    assert transfer(epochs=3).text() == transfer(epochs=2).text()  # prototypes have no epochs


def test_a_transfer_that_cannot_be_is_told():
    for changes, said in (
        ({"letters": "3"}, "two or more names"),
        ({"dropout": 0.1}, "dropout: transfer has no such setting"),
    ):
        with pytest.raises(ExperimentError, match=said):
            transfer(**changes)
    with pytest.raises(ExperimentError, match="has no letter 'zeh'; it has alpha"):
        setup_of("strokes-greek", "cnn", {"source": "report", "letters": "alpha, zeh"})
    with pytest.raises(ExperimentError, match="method: only transfer has this"):
        setup_of("mnist", "cnn", {"method": "head"})
    with pytest.raises(ExperimentError, match="has no letter 'alpha'; it has 0"):
        with_letters(load("digits-8x8", "train"), ["alpha", "beta"])
    other = json.loads(transfer().text()) | {"source_sha256": "0"}
    record = work(Task((Unit(json.dumps(other), sha256_of(LETTERS), 0, 0, 3),), "sqlite:///:memory:", "n", 0))[0]
    assert record["state"] == "failed"
    assert "another one than the study was begun with" in record["problem"]

"""The scikit-learn classifier: by scikit-learn's own checks, and as a grid search beside a study."""

import json

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.utils.estimator_checks import check_estimator

from core.data import load
from core.errors import NetworkError
from core.experiments.estimator import NetworkClassifier
from core.experiments.study import Study
from tests.experiments.here import carry_out

EXCEPTIONS: dict[str, str] = {}  # check → reason; there is none


def test_scikit_learn_finds_nothing_wrong():
    tiny = NetworkClassifier(
        filters=2, conv_layers=1, filter_size=5, pool_size=6, dense_nodes=8, epochs=5, batch_size=32,
        optimizer="adam", learning_rate=0.02, dropout=0.0, activation="tanh",
    )  # fmt: skip
    found = check_estimator(tiny, expected_failed_checks=EXCEPTIONS, on_skip=None)
    assert len(found) > 40
    assert {result["check_name"] for result in found if result["status"] != "passed"} <= {"check_array_api_input"}


def test_a_study_with_folds_is_a_grid_search(tmp_path):
    grid = {"activation": ["relu", "tanh"], "filters": [1, 3]}
    fixed = {"conv_layers": 1, "dense_nodes": 8, "epochs": 1, "batch_size": 100}
    whole = load("digits-8x8", "train")
    search = GridSearchCV(
        NetworkClassifier(**fixed), grid, cv=StratifiedKFold(3, shuffle=True, random_state=0), refit=False
    ).fit(whole.images.reshape(-1, 784).numpy(), whole.labels.numpy())
    study = Study(
        question="?", name="folds", dataset="digits-8x8", folds=3, settings=fixed,
        dimensions={name: tuple(values) for name, values in grid.items()},
    )  # fmt: skip
    done, _, storage = carry_out(study, tmp_path)
    accuracies = {
        json.dumps(trial.params): trial.user_attrs["result"]["accuracies"] for trial in storage.open("folds")[1].trials
    }
    for number, params in enumerate(search.cv_results_["params"]):
        theirs = [search.cv_results_[f"split{fold}_test_score"][number] for fold in range(3)]
        assert accuracies[json.dumps(dict(params))] == pytest.approx(theirs, abs=1e-6)
    best = max(done, key=lambda trial: trial.values[0])
    assert best.params == search.best_params_
    assert best.values[0] == pytest.approx(search.best_score_, abs=1e-6)


def test_pixels_stay_as_they_are_and_others_are_framed():
    glyphs = load("digits-8x8", "train").images[:20]
    labels = np.arange(20) % 2
    model = NetworkClassifier(filters=1, conv_layers=1, dense_nodes=2, epochs=1).fit(glyphs.reshape(20, -1), labels)
    assert torch.equal(model._glyphs(glyphs.reshape(20, -1).numpy()), glyphs)
    small = np.arange(64, dtype=float)[None].repeat(4, 0) / 63
    framed = model.fit(small, [0, 1, 0, 1])._glyphs(small)[0]
    assert framed.shape == (28, 28)
    assert framed[2:26, 2:26].reshape(8, 3, 8, 3)[:, 0, :, 0].flatten().tolist() == np.rint(small[0] * 255).tolist()
    assert framed.sum() == framed[2:26, 2:26].sum()


def test_what_cannot_be_is_told():
    with pytest.raises(ValueError, match="784 pixels at most, not 785"):
        NetworkClassifier().fit(np.zeros((4, 785)), [0, 1, 0, 1])
    with pytest.raises(NetworkError, match="would leave no pixels"):
        NetworkClassifier(conv_layers=8).fit(np.zeros((4, 4)), [0, 1, 0, 1])

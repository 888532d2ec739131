"""The reports' experiments: each is there as it was and in a quick version, and means what the report says."""

import pytest

from core.errors import DataError
from core.experiments.data_cache import sha256_of
from core.experiments.study_file import presets, read_study

QUICK = "-quick"


def test_every_preset_can_be_carried_out_and_has_a_quick_version():
    found = dict(presets())
    names = {name for name in found if name != "quickstart"}
    whole = {name for name in names if not name.endswith(QUICK)}
    assert whole == {
        "layers-filters-dropout", "batch-dropout-epochs", "one-at-a-time", "grid-search-fashion", "mlp-fashion",
        "heart", "transfer",
    }  # fmt: skip
    assert names == whole | {name + QUICK for name in whole}
    for name, study in found.items():
        assert study.name == name
        assert study.hypothesis
        assert study.count().possible > 1
        if name.endswith(QUICK) and not name.startswith("heart"):
            assert study.dataset in ("digits-8x8", "strokes-greek")  # which need no download


def test_presets_have_the_reports_variations():
    layers, batches, fashion = (
        read_study(name) for name in ("layers-filters-dropout", "batch-dropout-epochs", "grid-search-fashion")
    )
    assert layers.count()[:2] == (27, ())
    assert layers.settings["epochs"] == 5
    assert batches.count()[:2] == (54, ())
    assert len({batches.setup(c | {"epochs": batches.longest}).text() for c in batches.grid()}) == 9
    assert (fashion.combinations, fashion.folds, fashion.final_epochs) == (96, 3, 20)
    # a third convolution of 5×5 has 4×4 left; that was a crash once
    assert fashion.count().possible == 72
    assert read_study("heart").count().possible == 5


def test_missing_data_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"heart/heart\.csv does not exist, .* set INKLING_DATA"):
        sha256_of(read_study("heart").dataset)
    with pytest.raises(DataError, match=r"gcdb\.npz is missing; set INKLING_DATA"):
        sha256_of(read_study("transfer").dataset)

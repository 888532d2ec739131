"""A passport that lies, in any field and any way, is one clear sentence and never another error."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import NetworkError
from core.networks.passport import COUNTS, MAX_BYTES, NUMBERS, PREPROCESSING, TEXTS, Passport, read_passport
from core.networks.spec import NetworkSpec
from core.training.config import TrainingConfig
from core.training.recipes import RECIPES

MISSING = object()
PART = {"name": "mnist", "sha256": "0" * 64, "samples": 60_000}
FIELDS = {
    "name": "mine",
    "data": {"name": "heart"},
    "seed": 3,
    "training": {},
    "metrics": {},
    "temperature": 1.0,
    "refusal_threshold": -2.0,
}


def spoil(folder: Path, field: str, value: object) -> Path:
    """Sets a field (`a.b` for one inside another) of the passport, or removes it."""
    file = folder / "passport.json"
    record = json.loads(file.read_text())
    *outer, last = field.split(".")
    part = record
    for key in outer:
        part = part[key]
    if value is MISSING:
        del part[last]
    else:
        part[last] = value
    file.write_text(json.dumps(record))
    return file


def test_a_passport_survives_its_file(stored):
    passport = read_passport(stored / "passport.json")
    assert passport.to_json() == json.loads((stored / "passport.json").read_text())
    assert (passport.name, passport.dataset, passport.temperature) == ("mine", "mnist", 1.5)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "other", "is the passport of 'other', not of 'mine'"),
        ("name", "../mine", "field 'name' should be letters"),
        ("name", MISSING, "it lacks name"),
        ("spec.architecture", "resnet9000", "Unknown network architecture 'resnet9000'; choose one of"),
        ("spec.classes", 11, "names 10 different classes, but its network has 11 outputs"),
        ("spec", MISSING, "it lacks spec"),
        ("spec", [], "with the field 'architecture'"),
        ("classes", MISSING, "it lacks classes"),
        ("classes", list("012345678"), "names 9 different classes, but its network has 10 outputs"),
        ("classes", list("0123456788"), "names 9 different classes"),
        ("classes", list(range(10)), "field 'classes' should be a list of names"),
        ("classes", "0123456789", "field 'classes' should be a list of names"),
        ("classes", None, "field 'classes' should be a list of names"),
        ("weights_sha256", "abc", "field 'weights_sha256' should be 64 hexadecimal digits"),
        ("weights_sha256", None, "field 'weights_sha256'"),
        ("runtime_sha256", 5, "field 'runtime_sha256'"),
        ("temperature", "1.0", "field 'temperature' should be a number above 0, not '1.0'"),
        ("temperature", 0, "field 'temperature'"),
        ("temperature", -1.5, "field 'temperature'"),
        ("temperature", float("nan"), "NaN is no JSON number"),
        ("temperature", True, "field 'temperature'"),
        ("refusal_threshold", float("inf"), "Infinity is no JSON number"),
        ("refusal_threshold", None, "field 'refusal_threshold' should be a finite number"),
        ("seed", 0.5, "field 'seed' should be a whole number"),
        ("data", [], "field 'data' should be a JSON object"),
        ("metrics", "good", "field 'metrics' should be a JSON object"),
        ("metrics.test_accuracy", 99.2, r"'metrics\.test_accuracy' should be a share from 0 to 1"),
        ("metrics.parameters", "many", r"'metrics\.parameters' should be a whole number"),
        ("metrics.parameters", True, r"'metrics\.parameters' should be a whole number"),
        ("metrics.test_ece", "small", r"'metrics\.test_ece' should be a number or a list of numbers"),
        ("metrics.test_ece", 10**400, r"'metrics\.test_ece' should be a number"),
        ("data.name", 7, r"'data\.name' should be the name of a data set"),
        ("data.train", ["mnist"], r"'data\.train' should be a list, each with the fields name, sha256 and samples"),
        ("data.train", [PART | {"samples": "many"}], r"'data\.train' should be a list"),
        ("data.train", [PART | {"name": ["mnist"]}], r"'data\.train' should be a list"),
        ("data.train", [{"name": "mnist", "samples": 7}], r"'data\.train' should be a list"),
        ("data.test", 7, r"'data\.test' should be an object with the fields name, sha256 and samples"),
        ("data.test", PART | {"sha256": 7}, r"'data\.test' should be an object"),
        ("data.validation_samples", -1, r"'data\.validation_samples' should be a whole number"),
        ("training.dataset", 7, r"'training\.dataset' should be a text, not '7'"),
        ("training.optimizer", "\ud800", r"'training\.optimizer' should be a plain value"),
        ("training.epochs", 2.5, r"'training\.epochs' should be a whole number"),
        ("training.more_epochs", 3, r"'training\.more_epochs' should be a list of whole numbers"),
        ("training.more_epochs", ["3"], r"'training\.more_epochs' should be a list of whole numbers"),
        ("training.learning_rate", "0.1", r"'training\.learning_rate' should be a number"),
        ("training.learning_rate", 10**400, r"'training\.learning_rate' should be a plain value"),
        ("training.also", [7], r"'training\.also' should be a list of data sets"),
        ("training.cnn", 3, r"'training\.cnn' should be a JSON object"),
        ("training.recent", [[1]], r"'training\.recent' should be a plain value"),
        ("versions", {"torch": 2}, "field 'versions' should be names with a text each"),
        ("preprocessing.ink", "dark", "field 'preprocessing' should be"),
        ("format", 2, "its format is 2, but this version of Inkling reads format 1"),
        ("colour", "blue", "unknown fields: colour"),
    ],
)
def test_a_lying_passport_is_refused(stored, field, value, sentence):
    file = spoil(stored, field, value)
    with pytest.raises(NetworkError, match=rf"^{file} is no valid passport: .*{sentence}.*; restore") as error:
        read_passport(file)
    assert "\n" not in str(error.value)


def test_every_setting_of_a_training_has_its_kind_of_value():
    apart = {"more_epochs", "also", "cnn"}
    assert set(TrainingConfig.__dataclass_fields__) <= {*TEXTS, *COUNTS, *NUMBERS, *apart}
    for config in RECIPES.values():
        assert of_a_table(training=config.to_json() | {"seconds": 3, "state": "finished"}).training["epochs"] >= 1


def test_settings_of_another_version_are_kept():
    said = {"method": "fine-tuning", "new": [1, "a", None], "cnn": {"filters": (16, 32), "batch_norm": True}}
    assert of_a_table(training=said).training == said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not JSON"),
        (b"\x80\x04\x95", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b'{"name": "mine"', "is not JSON"),
        (b"[" * 100_000, "no valid passport"),
        (b" " * (MAX_BYTES + 1), "is too large"),
    ],
)
def test_a_file_that_is_no_passport_is_refused(stored, content, sentence):
    (stored / "passport.json").write_bytes(content)
    with pytest.raises(NetworkError, match=sentence):
        read_passport(stored / "passport.json")


def test_a_missing_passport_is_named(stored):
    (stored / "passport.json").unlink()
    with pytest.raises(NetworkError, match=r"passport\.json is missing: a network needs its passport"):
        read_passport(stored / "passport.json")


def test_a_passport_that_cannot_be_read_is_named(stored):
    (stored / "passport.json").unlink()
    (stored / "passport.json").mkdir()
    with pytest.raises(
        NetworkError, match=r"passport\.json is no valid passport: it cannot be read \(Is a directory\)"
    ):
        read_passport(stored / "passport.json")


def of_a_table(**changes: object) -> Passport:
    fields = FIELDS | {"classes": ("no", "yes"), "preprocessing": {"columns": ["Age", "Sex"], "means": [53.5, 0.8]}}
    return Passport(spec=NetworkSpec("heart-11-10-1"), weights_sha256="0" * 64, **fields | changes)


def test_a_tables_passport_says_how_its_rows_are_prepared(tmp_path):
    passport = of_a_table()
    assert not passport.reads_glyphs
    (tmp_path / "mine").mkdir()
    file = tmp_path / "mine" / "passport.json"
    file.write_text(json.dumps(passport.to_json()))
    assert read_passport(file) == passport


@pytest.mark.parametrize(
    ("preprocessing", "sentence"),
    [
        (PREPROCESSING, r"'preprocessing\.columns' should be a list of a table's column names, not 'None'"),
        ({"columns": []}, "a list of a table's column names"),
        ({"columns": ["Age", 5]}, "a list of a table's column names"),
        ({"columns": ["Age"], "means": [float("nan")]}, "of JSON's values only"),
        ({"columns": ["Age"], "means": {1, 2}}, "of JSON's values only"),
    ],
)
def test_a_tables_passport_without_its_preparation_is_refused(preprocessing, sentence):
    with pytest.raises(NetworkError, match=sentence):
        of_a_table(preprocessing=preprocessing)


def test_only_a_tables_network_has_columns(stored):
    assert read_passport(stored / "passport.json").reads_glyphs
    file = spoil(stored, "preprocessing", {"columns": ["Age"]})
    with pytest.raises(NetworkError, match="field 'preprocessing' should be {'size': 28"):
        read_passport(file)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELD_NAMES = [
    "name",
    "spec",
    "classes",
    "weights_sha256",
    "data",
    "data.name",
    "data.train",
    "data.test",
    "seed",
    "training",
    "training.more_epochs",
    "training.cnn",
    "training.new",
    "metrics",
    "metrics.new",
    "temperature",
    "versions",
    "format",
]


@given(field=st.sampled_from(FIELD_NAMES), value=JSON)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_in_any_field_is_a_passport_or_a_sentence(stored, stored_once, field, value):
    (stored / "passport.json").write_text((stored_once / "passport.json").read_text())
    file = spoil(stored, field, value)
    assert name_or_sentence(file) == "mine" or "restore weights and passport together" in name_or_sentence(file)


def name_or_sentence(file: Path) -> str:
    try:
        return read_passport(file).name
    except NetworkError as error:
        return str(error)

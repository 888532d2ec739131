"""Keep and share: the passport in words, another name, the bin and back, files for elsewhere, networks coming in."""

import io
import json
import shutil
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core.networks import export_zip, import_zip, list_networks, open_network
from core.networks.store import own_shelf
from core.paths import ASSETS
from pages.components.keys import NETWORK_PICKER
from pages.components.train.passport import about_html


@pytest.fixture
def mine(inkling_home) -> Path:
    """A network of the user's own: a copy of the shipped `report`."""
    folder = own_shelf() / "mine"
    shutil.copytree(ASSETS / "networks" / "report", folder)
    write_passport(folder, name="mine")
    return folder


def write_passport(folder: Path, **changes: object) -> None:
    file = folder / "passport.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes), "utf-8")


@pytest.fixture
def open_keep(open_train_section):
    return partial(open_train_section, "Keep and share")


def in_use(app) -> str:
    return app.selectbox(key=NETWORK_PICKER).value


def told(app) -> str:
    """The passport in words."""
    (html,) = [block.proto.body for block in app.get("html") if "<dl" in block.proto.body]
    return html


def names() -> list[str]:
    return [passport.name for passport in list_networks()]


def test_the_passport_is_told_in_words(open_keep):
    words = told(open_keep("report"))
    for part in ("21,840 parameters", "60,000 samples of mnist", "10,000 samples of mnist", "99.26%", "epochs 5"):
        assert part in words
    assert "{" not in words


def test_a_shipped_network_says_why_it_cannot_be_renamed_or_deleted(open_keep):
    app = open_keep("digits")
    assert any("ships with Inkling" in text.value for text in app.markdown)
    assert not {"keep_rename", "keep_delete"} & {button.key for button in app.button}


def test_a_renamed_network_is_in_use_under_its_new_name(open_keep, mine):
    app = open_keep("mine")
    app.text_input(key="keep_name_mine").set_value("theirs").run()
    app.button(key="keep_rename").click().run()
    assert not app.exception
    assert in_use(app) == "theirs"
    assert names() == ["digits", "greek", "report", "theirs"]
    assert [message.value for message in app.success] == ["mine is called theirs now."]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("digits", "There is a network 'digits' already"), ("../up", "is no name for a network"), ("mine", "already")],
)
def test_a_name_that_cannot_be_is_refused_in_a_sentence(open_keep, mine, name, sentence):
    app = open_keep("mine")
    app.text_input(key="keep_name_mine").set_value(name).run()
    app.button(key="keep_rename").click().run()
    assert len(app.error) == 1
    assert sentence in app.error[0].value
    assert in_use(app) == "mine"
    assert mine.exists()


def test_a_deleted_network_can_be_brought_back(open_keep, mine):
    weights = (mine / "weights.safetensors").read_bytes()
    app = open_keep("mine")
    app.button(key="keep_delete").click().run()
    assert not app.exception
    assert in_use(app) == "digits"
    assert names() == ["digits", "greek", "report"]
    (undo,) = [button for button in app.button if button.key.startswith("keep_undo_")]
    undo.click().run()
    assert not app.exception
    assert in_use(app) == "mine"
    assert (mine / "weights.safetensors").read_bytes() == weights
    assert not [button for button in app.button if button.key.startswith("keep_undo_")]


def test_what_is_in_the_way_of_an_undo_is_said(open_keep, mine):
    app = open_keep("mine")
    app.button(key="keep_delete").click().run()
    import_zip(export_zip("report"), "mine")
    next(button for button in app.button if button.key.startswith("keep_undo_")).click().run()
    assert [error.value.split(":")[0] for error in app.error] == ["There is 'mine' again"]


def test_a_zip_is_made_when_asked_for_and_comes_back(open_keep, mine):
    app = open_keep("mine")
    assert not app.get("download_button")
    app.button(key="keep_make_zip").click().run()
    assert not app.exception
    (download,) = app.get("download_button")
    assert download.proto.label == "Download mine.zip"
    app.file_uploader(key="keep_import_0").upload("given.zip", export_zip("mine"), "application/zip").run()
    assert not app.exception
    assert in_use(app) == "mine-2"
    assert [message.value for message in app.success] == ["given.zip is kept as mine-2, and in use now."]
    same = [open_network(name).passport.weights_sha256 for name in ("mine", "mine-2")]
    assert same[0] == same[1]
    assert not app.get("download_button"), "what was made of another network is not offered as this one's"


def test_an_onnx_file_says_how_far_its_answers_are_off(open_keep, mine):
    app = open_keep("mine")
    app.button(key="keep_make_onnx").click().run()
    assert not app.exception
    (download,) = app.get("download_button")
    assert download.proto.label == "Download mine.onnx"
    (said,) = [text.value for text in app.markdown if "On 1,000 samples" in text.value]
    difference = float(said.split("network's by ")[1].split(" at most")[0])
    assert 0 <= difference <= 1e-4
    assert "`glyphs` n × 1 × 28 × 28" in said


def test_damaged_weights_are_not_given_away(open_keep, mine):
    (mine / "weights.safetensors").write_bytes(b"something else")
    app = open_keep("mine")
    app.button(key="keep_make_zip").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert "SHA-256" in app.error[0].value
    assert not app.get("download_button")


def hostile_zips() -> dict[str, bytes]:
    def zip_of(**files: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return out.getvalue()

    return {
        "path": zip_of(**{"../passport.json": b"{}"}),
        "empty": zip_of(),
        "no-zip": b"these are words",
        "passport": zip_of(**{"passport.json": b"[]", "weights.safetensors": b""}),
    }


@pytest.mark.parametrize("kind", hostile_zips())
def test_a_hostile_zip_is_refused_in_a_sentence(open_keep, kind):
    app = open_keep("digits")
    app.file_uploader(key="keep_import_0").upload("gift.zip", hostile_zips()[kind], "application/zip").run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.error[0].value.startswith("gift.zip: This is no network that can be imported: ")
    assert names() == ["digits", "greek", "report"]


def test_a_strangers_passport_neither_breaks_the_page_nor_writes_on_it(mine, open_keep):
    evil = "<script>alert(1)</script>"
    part = {"name": evil, "sha256": "0" * 64, "samples": 10**15}
    write_passport(
        mine,
        data={"name": evil, "train": [part] * 9, "test": part, "validation_samples": 1},
        training={"epochs": 1, "momentum": -1e300, "optimizer": evil * 99, "seconds": 1e300, "more_epochs": [3] * 99},
        metrics={"test_accuracy": 0.5, "test_ece": [1.0], "test_refused": 9.0, "parameters": 1},
        versions={evil: evil},
    )
    app = open_keep("mine")
    assert "<script" not in told(app)
    assert "&lt;script" in told(app)
    assert about_html(open_network("mine").passport) == told(app)


def test_adam_has_no_momentum_to_tell(mine):
    trained = open_network("mine").passport
    for optimizer, told in (("sgd", True), ("adam", False)):
        training = trained.training | {"optimizer": optimizer, "momentum": 0.9}
        assert ("momentum 0.9" in about_html(replace(trained, training=training))) == told

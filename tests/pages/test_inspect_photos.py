"""Inspect Layers with networks for photos: untrained ones, torchvision's weights and files at hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.torch import save, save_file
from streamlit.testing.v1 import AppTest

from core.networks import pretrained
from core.networks.pretrained import PHOTO_NETWORKS, fetched_file, published, untrained
from core.report.figures import likeliest_bars

SQUEEZENET = "squeezenet1_1"


@pytest.fixture
def photos(open_app) -> AppTest:
    """The page after the choice of photos and of a small network."""
    app = open_app("pages/inspect_layers.py")
    app.segmented_control(key="inspect_kind").set_value("Photos").run()
    return checked(app.selectbox(key="inspect_photo_network").set_value(SQUEEZENET).run())


def checked(app: AppTest) -> AppTest:
    assert not app.exception, app.exception[0].stack_trace
    return app


def weights_from(app: AppTest, origin: str) -> AppTest:
    return checked(app.segmented_control(key="inspect_photo_weights").set_value(origin).run())


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_an_untrained_network_answers_at_once_and_says_that_it_learned_nothing(photos):
    assert "this network has learned nothing" in captions(photos)
    assert "The 5 likeliest of 1,000 classes, for a flower" in captions(photos)
    seen = [image for element in photos.get("image") for image in element.proto.imgs]
    assert any("What the network sees: the middle, 224 × 224 pixels" in image.caption for image in seen)
    assert photos.selectbox(key="inspect_photo_network").value == SQUEEZENET
    assert len(photos.selectbox(key="inspect_photo_network").options) == len(PHOTO_NETWORKS)


def test_weights_that_are_not_here_can_be_fetched(photos, monkeypatch):
    weights = next(iter(published(SQUEEZENET).values()))
    app = weights_from(photos, "published")
    assert "58.2 % right on ImageNet" in captions(app)
    assert any("**5 MB** from download.pytorch.org" in m.value for m in app.markdown)
    monkeypatch.setattr(weights.value, "url", "http://127.0.0.1:9/squeezenet1_1-00000000.pth")  # nobody listens there
    app = checked(weights_from(app, "published").button(key="inspect_fetch").click().run())
    for _ in range(50):
        if app.error:
            break
        app = checked(app.run())
    assert "5 MB were expected from http://127.0.0.1:9" in app.error[0].value
    assert app.button(key="inspect_fetch")


def test_fetched_weights_are_used_and_damaged_ones_named(photos):
    file = fetched_file(next(iter(published(SQUEEZENET).values())))
    file.parent.mkdir(parents=True)
    save_file(untrained(SQUEEZENET).state_dict(), file)
    app = weights_from(photos, "published")
    assert "The 5 likeliest of 1,000 classes" in captions(app)
    assert "learned nothing" not in captions(app)
    file.write_bytes(b"damaged")
    app = checked(app.run())
    assert "to fetch it anew" in app.error[0].value


@pytest.fixture
def features_file(tmp_path):
    state = {key: value for key, value in untrained(SQUEEZENET).state_dict().items() if "classifier" not in key}
    save_file(state, tmp_path / "features.safetensors")
    return tmp_path / "features.safetensors"


def test_a_file_of_features_is_used_without_an_answer(photos, features_file):
    app = weights_from(photos, "local")
    assert "Choose a safetensors file" in app.info[0].value
    app = checked(app.text_input(key="inspect_photo_path").set_value(str(features_file)).run())
    app.segmented_control(key="inspect_photo_order").set_value("BGR")
    app = checked(app.radio(key="inspect_photo_scaling").set_value("0 to 255 minus a mean colour (Caffe)").run())
    assert "features alone, without a classifier" in captions(app)
    assert "no output layer" in captions(app)


def test_an_upload_is_used(photos):
    app = weights_from(photos, "local")
    content = save(untrained(SQUEEZENET).state_dict())
    app.file_uploader(key="inspect_photo_file").upload("mine.safetensors", content, "application/octet-stream")
    app = checked(app.run())
    assert "The 5 likeliest of 1,000 classes" in captions(app)


def test_files_that_do_not_fit_and_paths_to_nothing_say_so(photos, features_file):
    app = weights_from(photos, "local")
    app = checked(app.text_input(key="inspect_photo_path").set_value("/nowhere/x.safetensors").run())
    assert "there is none at /nowhere/x.safetensors" in app.error[0].value
    app.selectbox(key="inspect_photo_network").set_value("resnet18")
    app = checked(app.text_input(key="inspect_photo_path").set_value(str(features_file)).run())
    assert "not those of torchvision's resnet18" in app.error[0].value


def test_a_network_too_large_for_the_memory_is_refused(open_app, monkeypatch):
    app = open_app("pages/inspect_layers.py")
    monkeypatch.setattr(pretrained.psutil, "virtual_memory", lambda: SimpleNamespace(available=10_000_000))
    app = checked(app.segmented_control(key="inspect_kind").set_value("Photos").run())
    assert "choose a smaller network" in app.error[0].value


@pytest.mark.parametrize("weights", ["random", "features"])
@pytest.mark.parametrize(
    "section",
    ["Structure", "Filters", "Layers", "Where it looked", "Stroke by stroke", "Units", "Surgery", "Robustness"],
)
def test_every_section_copes_with_photos(photos, features_file, section, weights):
    if weights == "features":
        app = weights_from(photos, "local")
        app.text_input(key="inspect_photo_path").set_value(str(features_file)).run()
    else:
        photos.selectbox(key="inspect_photo_network").set_value("resnet18").run()
    app = checked(photos.segmented_control(key="inspect_section").set_value(section).run())
    assert not app.error, app.error[0].value
    assert len(app.main) > 0


def test_the_likeliest_of_many_stand_from_the_top_down():
    probabilities = np.array([0.02, 0.6, 0.003, 0.3, 0.07, 0.007])
    names = ["a", "German short-haired pointer and more", "c", "crane", "crane", "f"]
    figure = likeliest_bars(probabilities, names, "Answers")
    bar = figure.data[0]
    assert list(bar.x) == pytest.approx([60, 30, 7, 2, 0.7])
    assert list(bar.text) == ["60", "30", "7", "2", "0.70"]
    assert len(set(bar.y)) == 5, "classes of the same name must not fall together"
    assert bar.y[0].startswith("1. German short-haired")
    assert figure.layout.xaxis.title.text == "probability (%)"
    assert figure.layout.yaxis.autorange == "reversed"

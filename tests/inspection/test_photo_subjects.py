"""torchvision's networks under examination: pictures of any size, what is seen of them, colours in another order."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from sklearn.datasets import load_sample_image
from torchvision.models import ResNet18_Weights
from torchvision.transforms import v2

from core.errors import NetworkError
from core.inspection.photo_networks import CAFFE, UNTRAINED, photo_subject
from core.inspection.specimen import Specimen
from core.inspection.subject import Subject
from core.networks.pretrained import from_file, published, untrained

FLOWER = load_sample_image("flower.jpg")  # (427, 640, 3)


def subject_of(name: str, **options: object) -> Subject:
    return photo_subject(name, untrained(name), next(iter(published(name).values())), **options)


@pytest.fixture(scope="module")
def resnet() -> Subject:
    return subject_of("resnet18", moment=UNTRAINED)


def photo(pixels: np.ndarray) -> Specimen:
    return Specimen("photos", "a picture", pixels)


def test_a_photo_is_prepared_as_torchvision_prepares_it(resnet):
    inputs = resnet.inputs(photo(FLOWER))
    by_hand = v2.Compose(
        [
            v2.ToImage(),
            v2.Resize(256, antialias=True),
            v2.CenterCrop(224),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )(Image.fromarray(FLOWER))
    assert inputs.shape == (1, 3, 224, 224)
    assert (inputs[0] - by_hand).abs().max() < 1.01 / 255 / 0.224  # one grey level, by which resizing rounds
    assert resnet.classes == tuple(ResNet18_Weights.DEFAULT.meta["categories"])
    assert resnet.moment == UNTRAINED


def test_what_is_seen_is_the_cropped_photo(resnet):
    seen = resnet.seen(resnet.inputs(photo(FLOWER)))
    image = Image.fromarray(FLOWER)
    scale = 256 / min(image.size)
    resized = image.resize((int(image.width * scale), 256), Image.Resampling.BILINEAR)
    left, top = round((resized.width - 224) / 2), 16
    expected = np.asarray(resized.crop((left, top, left + 224, top + 224))) / 255
    assert seen.shape == (224, 224, 3)
    assert seen.dtype == np.float32
    assert np.abs(seen - expected).mean() < 0.01
    assert np.corrcoef(seen.ravel(), expected.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 5000, 3), (5000, 1, 3), (3, 2, 3), (2000, 300, 3)])
def test_pictures_of_any_shape_are_taken(resnet, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    inputs = resnet.inputs(photo(pixels))
    assert inputs.shape == (1, 3, 224, 224)
    assert inputs.isfinite().all()
    probabilities = resnet.probabilities(inputs)
    assert probabilities.shape == (1, 1000)
    assert probabilities.sum() == pytest.approx(1, abs=1e-4)


def test_of_a_very_long_picture_the_middle_is_seen(resnet):
    pixels = np.zeros((10, 5000, 3), np.uint8)
    pixels[:, 2490:2510] = (255, 0, 0)  # more than the middle square
    seen = resnet.seen(resnet.inputs(photo(pixels)))
    assert np.allclose(seen, [1, 0, 0], atol=1e-4)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), "u1")],
)
def test_what_is_no_picture_is_refused(resnet, pixels):
    with pytest.raises(NetworkError, match=r"height × width × 3 colours \(uint8\) was expected"):
        resnet.inputs(photo(pixels))


def test_a_glyph_is_refused(resnet):
    with pytest.raises(NetworkError, match="takes photos"):
        resnet.inputs(Specimen("glyphs", "test sample 1", np.zeros((28, 28), np.float32)))


def test_a_flipped_view_of_a_picture_can_be_shown(resnet):
    assert torch.equal(
        resnet.inputs(photo(FLOWER[:, ::-1])), resnet.inputs(photo(np.ascontiguousarray(FLOWER[:, ::-1])))
    )


def test_layers_make_what_hooks_see(resnet):
    inputs = resnet.inputs(photo(FLOWER))
    module = resnet.own_copy()
    seen: dict[str, torch.Tensor] = {}
    for path in ("conv1", "layer1.0.bn2", "layer3.1.relu_out", "fc"):
        module.get_submodule(path).register_forward_hook(
            lambda _, __, made, path=path: seen.update({path: made.clone()})
        )
    with torch.inference_mode():
        module(inputs)
    made = resnet.activations(inputs, list(seen))
    by_path = {resnet.layer(name).path: value for name, value in made.items()}
    assert by_path.keys() == seen.keys()
    assert all(torch.equal(value, seen[path]) for path, value in by_path.items())
    assert torch.equal(resnet.logits(inputs), seen["fc"])


@pytest.fixture(scope="module")
def features() -> Path:
    from core.paths import data_dir

    file = data_dir() / "pretrained/squeezenet1_1-features.safetensors"
    if not file.is_file():
        pytest.skip(f"{file} is missing: set INKLING_DATA to a folder that holds it")
    return file


@pytest.fixture(scope="module")
def squeezenet(features) -> Subject:
    module, classifies = from_file("squeezenet1_1", features, "BGR", standardised=False)
    weights = next(iter(published("squeezenet1_1").values()))
    return photo_subject("squeezenet1_1", module, weights, classifies=classifies, scaling=CAFFE)


def test_caffes_features_answer_rgb_as_they_did_bgr(squeezenet, features):
    """The same activations as Caffe's way by hand: 0–255, channels reversed, minus (104, 117, 123), the file's own
    filters."""
    specimen = photo(FLOWER)
    inputs = squeezenet.inputs(specimen)
    raw = load_file(features)
    rgb = torch.from_numpy(squeezenet.seen(inputs)).permute(2, 0, 1)[None] * 255
    bgr = rgb.flip(1) - torch.tensor([104.0, 117.0, 123.0])[:, None, None]
    first = F.conv2d(bgr, raw["features.0.weight"], raw["features.0.bias"], stride=2).relu()
    pooled = F.max_pool2d(first, 3, 2, ceil_mode=True)
    squeezed = F.conv2d(pooled, raw["features.3.squeeze.weight"], raw["features.3.squeeze.bias"])
    made = squeezenet.activations(inputs, ["features_1", "features_3_squeeze"])
    assert torch.allclose(made["features_1"], first, rtol=1e-4, atol=1e-2)
    assert torch.allclose(made["features_3_squeeze"], squeezed, rtol=1e-4, atol=1e-2)


def test_features_alone_have_no_classes_but_all_their_layers(squeezenet):
    assert squeezenet.classes == ()
    assert squeezenet.logits(squeezenet.example).shape == (1, 512, 13, 13)
    assert len(squeezenet.convolutions) == 1 + 8 * 3
    weights = squeezenet.convolution(squeezenet.convolutions[0]).weight
    assert weights.shape == (64, 3, 3, 3)


def test_caffes_picture_is_seen_as_it_is(squeezenet, resnet):
    caffe, ours = squeezenet.seen(squeezenet.inputs(photo(FLOWER))), resnet.seen(resnet.inputs(photo(FLOWER)))
    assert np.allclose(caffe, ours, atol=1e-5)


@pytest.mark.parametrize("name", ["vit_b_16", "inception_v3", "swin_t"])
def test_other_families_can_be_looked_into(name):
    subject = subject_of(name)
    inputs = subject.inputs(photo(FLOWER))
    assert subject.layers[0].label == "input"
    assert subject.layers[-1].shape == (1000,)
    last = subject.layers[-1].name
    assert torch.allclose(subject.activations(inputs, [last])[last], subject.logits(inputs), atol=1e-4)

"""The head on features of photographs: taught, measured on what it never saw, and taken away."""

import io
import json
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load
from scipy.stats import binomtest

from core.errors import TrainingError
from core.transfer import photo_job
from core.transfer.photo_head import HeadConfig, PhotoHead, answers, cross_validate_head, teach_head
from core.transfer.photo_job import PhotoJob, PhotoResult
from core.transfer.photo_set import Photo, PhotoSet
from core.work import Stopped
from tests.transfer.photo_parts import photos, small_subject

CONFIG = HeadConfig(units=16, epochs=20)


def blobs(count: int = 30, distance: float = 8.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two clouds of points in 5 dimensions, of very different scales."""
    generator = torch.Generator().manual_seed(2)
    points = torch.randn(2 * count, 5, generator=generator)
    labels = torch.arange(2).repeat_interleave(count)
    points[labels == 1, 0] += distance
    return points * torch.tensor([1.0, 100.0, 0.01, 1.0, 1.0]) + 7, labels


def test_the_head_is_scaling_a_hidden_layer_and_an_output_layer():
    features, labels = blobs()
    head = teach_head(features, labels, 2, CONFIG).head
    state = {key: value.numpy() for key, value in head.state_dict().items()}
    np.testing.assert_allclose(state["mean"], features.numpy().mean(0), rtol=1e-4)
    np.testing.assert_allclose(state["spread"], features.numpy().std(0), rtol=1e-3)
    scaled = (features.numpy() - state["mean"]) / state["spread"]
    hidden = np.maximum(scaled @ state["hidden.weight"].T + state["hidden.bias"], 0)
    expected = hidden @ state["output.weight"].T + state["output.bias"]
    np.testing.assert_allclose(answers(head, features).numpy(), expected, atol=1e-4)


def test_it_learns_what_can_be_told_apart_and_cross_validation_sees_it():
    features, labels = blobs()
    config = HeadConfig(units=64, epochs=25)
    taught = teach_head(features, labels, 2, config)
    assert taught.losses[-1] < taught.losses[0] / 2
    assert taught.accuracies[-1] > 0.9
    logits = cross_validate_head(features, labels, 2, config)
    assert (logits.argmax(1) == labels.numpy()).mean() > 0.9


def test_cross_validation_is_not_fooled_by_learning_by_heart():
    features = torch.randn(40, 60, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(40) % 2  # labels that say nothing
    config = HeadConfig(units=64, dropout=0.0, epochs=20)
    assert teach_head(features, labels, 2, config).accuracies[-1] == 1.0
    right = (cross_validate_head(features, labels, 2, config).argmax(1) == labels.numpy()).mean()
    assert 0.25 < right < 0.75


def test_no_fold_knows_what_it_is_asked():
    """Changing one sample's features changes no answer to the others of its fold, whose heads it never taught…"""
    features, labels = blobs(10)
    before = cross_validate_head(features, labels, 2, HeadConfig(units=4, epochs=2))
    moved = features.clone()
    moved[0] += 50
    after = cross_validate_head(moved, labels, 2, HeadConfig(units=4, epochs=2))
    same = [i for i in range(1, 20) if np.allclose(before[i], after[i])]
    assert len(same) == 3, "its fold has four samples; …and all others' heads were taught by it"


def test_the_same_seed_gives_the_same_head_and_leaves_the_global_state_alone():
    features, labels = blobs(8)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = teach_head(features, labels, 2, HeadConfig(epochs=2, seed=3)).head
    torch.testing.assert_close(torch.rand(3), expected)
    second = teach_head(features, labels, 2, HeadConfig(epochs=2, seed=3)).head
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)


def test_a_constant_feature_does_no_harm_and_a_stop_stops():
    features, labels = blobs(8)
    features[:, 3] = 1.0
    assert answers(teach_head(features, labels, 2, HeadConfig(epochs=1)).head, features).isfinite().all()
    with pytest.raises(Stopped):
        teach_head(features, labels, 2, CONFIG, stop=lambda: True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"units": 0}, "1 to 4,096 units"),
        ({"dropout": 1.0}, "below 1"),
        ({"epochs": 0}, "1 to 1,000 epochs"),
        ({"seed": -1}, "at least 0"),
    ],
)
def test_settings_that_cannot_be_are_named(settings, said):
    with pytest.raises(TrainingError, match=said):
        HeadConfig(**settings)


def test_one_picture_of_a_class_cannot_be_cross_validated():
    features, _ = blobs(3)
    with pytest.raises(TrainingError, match="at least two pictures of each class"):
        cross_validate_head(features, torch.tensor([0, 0, 0, 0, 0, 1]), 2, CONFIG)


def finished(photo_set: PhotoSet, config: HeadConfig = CONFIG) -> PhotoJob:
    job = PhotoJob(small_subject(), photo_set, config).begin()
    job.join(60)
    return job


def result_of_job(photo_set: PhotoSet) -> PhotoResult:
    job = finished(photo_set)
    assert job.state == "finished", job.problem
    assert job.result is not None
    return job.result


def test_a_job_measures_by_cross_validation():
    result = result_of_job(PhotoSet("colours", photos(6)))
    assert result.folds == 5
    assert result.test.accuracy == 1.0
    interval = binomtest(12, 12).proportion_ci(0.95, method="wilson")
    assert result.test.interval == pytest.approx((interval.low, interval.high))
    assert [photo.label for photo in result.tested] == [result.classes[i] for i in result.test.labels]
    assert result.test.temperature == 1.0, "without a mistake nothing says how sure it may be"
    red = np.full((8, 8, 3), (200, 40, 40), np.uint8)
    assert result.classes[result.read(red).argmax()] == "red"


def test_a_test_part_of_its_own_measures_and_teaches_nothing():
    wrong = tuple(Photo("green", photo.name, photo.content()) for photo in photos(3, ("red",), seed=9))
    result = result_of_job(PhotoSet("colours", photos(6), (*photos(3, ("red",), seed=8), *wrong)))
    assert result.folds == 0
    assert len(result.test) == 6
    assert result.test.accuracy == 0.5, "red pictures that are called green teach nothing, and are read as red"
    assert result.taught.accuracies[-1] == 1.0


def test_the_head_that_is_taken_away_answers_the_same():
    result = result_of_job(PhotoSet("colours", photos(6)))
    with zipfile.ZipFile(io.BytesIO(result.to_zip())) as archive:
        about = json.loads(archive.read("head.json"))
        weights = load(archive.read("head.safetensors"))
    assert about["backbone"]["weights_sha256"] == result.backbone.weights_sha256
    assert about["measured"]["accuracy"] == result.test.accuracy
    assert about["measured"]["how"] == "5-fold cross-validation"
    head = PhotoHead(about["backbone"]["features"], len(about["classes"]), HeadConfig(**about["head"]))
    head.load_state_dict(weights)
    some = torch.rand(4, about["backbone"]["features"])
    torch.testing.assert_close(answers(head, some), answers(result.taught.head, some))


def test_jobs_say_what_went_wrong_and_can_be_stopped():
    broken = tuple(Photo(label, f"{label} {i}", b"no picture") for label in ("red", "green") for i in range(2))
    job = finished(PhotoSet("broken", broken))
    assert job.state == "failed"
    assert "give at least two" in job.problem
    job = PhotoJob(small_subject(), PhotoSet("colours", photos(6)), CONFIG)
    job.stop()
    job.begin().join(60)
    assert (job.state, job.result) == ("stopped", None)


def test_the_same_job_is_not_begun_twice_and_old_ones_are_forgotten():
    colours, subject = PhotoSet("colours", photos(2)), small_subject()
    first = photo_job.start("a", subject, colours, HeadConfig(epochs=1000))
    assert photo_job.start("a", subject, colours, HeadConfig(epochs=1000)) is first
    first.stop()
    first.join(60)
    again = photo_job.start("a", subject, colours, HeadConfig(epochs=1))
    assert again is not first
    again.join(60)
    for number in range(photo_job.MOST_KEPT + 2):
        photo_job.start(str(number), subject, colours, HeadConfig(epochs=1)).join(60)
    assert photo_job.job_of("a") is None

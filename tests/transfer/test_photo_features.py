"""Pictures in colour, and what a frozen network makes of them: computed once, kept, and never of another network."""

import numpy as np
import pytest
import torch

from core.errors import DataError, NetworkError
from core.networks.pretrained import published, untrained
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.photo_features import BATCH, backbone_of, compute_features, shelf
from core.transfer.photo_set import Photo, example_photos, folder_photos, letters_photos
from core.work import Stopped
from tests.transfer.photo_parts import make_folder, photos, small_subject


def test_features_are_the_means_of_the_maps_before_the_classifier():
    subject = small_subject()
    given = photos(3)
    made = compute_features(backbone_of(subject), given)
    from core.data.pictures import decode_picture

    for photo, row in zip(given, made.values, strict=True):
        maps = subject.module.features(subject.prepare_photo(decode_picture(photo.content())))
        np.testing.assert_allclose(row, maps.mean((2, 3))[0].detach().numpy(), rtol=1e-5)
    assert made.photos == given
    assert made.computed == 6


def test_a_network_with_one_dense_layer_at_its_end_gives_what_that_layer_gets():
    from core.inspection.photo_networks import photo_subject

    weights = next(iter(published("shufflenet_v2_x0_5").values()))
    module = untrained("shufflenet_v2_x0_5").eval()
    backbone = backbone_of(photo_subject("shufflenet_v2_x0_5", module, weights, moment="before any training"))
    inputs = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    seen = []
    handle = module.fc.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    with torch.inference_mode():
        module(inputs)
    handle.remove()
    np.testing.assert_allclose(backbone.features(inputs), seen[0].numpy(), rtol=1e-4, atol=1e-6)
    assert module.fc.out_features == 1000, "the shared network must stay whole"
    assert not backbone.learned


def test_what_is_known_is_read_from_disk_and_gives_the_same(monkeypatch):
    backbone, given = backbone_of(small_subject()), photos(BATCH)
    told = []
    first = compute_features(backbone, given, lambda done, total: told.append((done, total)))
    assert first.computed == 2 * BATCH
    assert told[-1] == (2 * BATCH, 2 * BATCH)
    monkeypatch.setattr(type(backbone), "features", lambda *_: pytest.fail("a picture passed again"))
    again = compute_features(backbone, given)
    np.testing.assert_array_equal(again.values, first.values)
    assert again.computed == 0
    assert again.seconds == 0


@pytest.mark.parametrize("other", [{"seed": 1}, {"scale": 2.0}])
def test_other_weights_or_another_preparation_have_features_of_their_own(other):
    given = photos(2)
    first = compute_features(backbone_of(small_subject()), given)
    second = compute_features(backbone_of(small_subject(**other)), given)
    assert second.computed == 4
    assert not np.allclose(first.values, second.values)


def test_the_features_alone_are_another_network_but_give_the_same():
    whole, alone = backbone_of(small_subject()), backbone_of(small_subject(classes=()))
    assert whole.weights_sha256 == alone.weights_sha256
    assert whole.key == alone.key


def test_a_stop_keeps_what_was_computed():
    backbone, given = backbone_of(small_subject()), photos(BATCH)
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > BATCH + 3

    with pytest.raises(Stopped):
        compute_features(backbone, given, stop=stop)
    assert compute_features(backbone, given).computed == BATCH


def test_damaged_features_on_disk_are_computed_anew():
    backbone, given = backbone_of(small_subject()), photos(2)
    first = compute_features(backbone, given)
    (file,) = shelf().glob("*/*.safetensors")
    file.write_bytes(file.read_bytes()[:-5])
    again = compute_features(backbone, given)
    assert again.computed == 4
    np.testing.assert_array_equal(again.values, first.values)


def test_unreadable_repeated_and_ambiguous_pictures_are_named(tmp_path):
    red, green = photos(2), photos(2, seed=5)
    missing = Photo("red", "gone.png", tmp_path / "gone.png")
    given = (*red, Photo("red", "broken.png", b"\x89PNG broken"), missing, red[0], Photo("blue", "x", red[1].content()))
    made = compute_features(backbone_of(small_subject()), (*given, *green))
    notes = " ".join(made.notes)
    assert "broken.png, gone.png could not be read as pictures" in notes
    assert "1 pictures are the same as others of their class" in notes
    assert "1 pictures stand under more than one class" in notes
    assert len(made.photos) == len(made.values) == 9


def test_numbers_that_are_not_finite_are_refused():
    subject = small_subject()
    with torch.no_grad():
        subject.module.features[0].weight.fill_(float("nan"))
    with pytest.raises(NetworkError, match="not finite; choose other weights"):
        compute_features(backbone_of(subject), photos(1))


def test_a_folder_with_a_test_part_and_one_without(tmp_path):
    plain = folder_photos(make_folder(tmp_path / "plain"))
    assert (len(plain.photos), plain.tested, plain.classes) == (8, (), ("green", "red"))
    make_folder(tmp_path / "parted/train")
    make_folder(tmp_path / "parted/test", 2, ("red", "green", "blue"), 3)
    parted = folder_photos(tmp_path / "parted")
    assert (len(parted.photos), len(parted.tested)) == (8, 4)
    assert "Classes that stand in test only were left out: blue" in parted.notes[-1]


def test_too_little_says_what_is_missing(tmp_path):
    with pytest.raises(DataError, match="pictures of 1 class; give at least two"):
        folder_photos(make_folder(tmp_path / "one", labels=("red",)))
    folder = make_folder(tmp_path / "two")
    for file in sorted((folder / "red").iterdir())[1:]:
        file.unlink()
    with pytest.raises(DataError, match="one picture only of 'red'"):
        folder_photos(folder)
    with pytest.raises(DataError, match="does not exist"):
        folder_photos(tmp_path / "nowhere")


def test_letters_come_in_colour_and_the_example_tiles_do_not_overlap():
    letters = tuple(Letter(photo.label, photo.content(), "canvas") for photo in photos(2))
    assert [photo.content() for photo in letters_photos(LettersSet("mine", letters)).photos] == [x.png for x in letters]
    example = example_photos()
    assert [len([p for p in example.photos if p.label == label]) for label in example.classes] == [60, 60]
    assert len({photo.content() for photo in example.photos}) == 120

"""Letters taught to shipped networks: what learns and what stays, honest figures, a network that reads them."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import minimize as scipy_minimize
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from core.cli import main
from core.data import Samples
from core.data.strokes import draw_glyphs
from core.errors import DataError, NetworkError, TrainingError
from core.networks import open_network
from core.networks.base import as_input
from core.reading import open_recognizer
from core.training.fit import EpochDone
from core.transfer import methods
from core.transfer.execute import TransferResult, transfer
from core.transfer.features import negatives_of
from core.transfer.heads import SHRINKAGE, embed, freeze_norms, output_layer, set_prototypes, with_classes
from core.transfer.letters import read_letters
from core.transfer.methods import Taught, TransferConfig, teach
from core.transfer.validation import Validating, cross_validate

SYMBOLS = ("alpha", "psi", "omega")


def letters(count: int, seed: int) -> Samples:
    """So many generated letters of each symbol."""
    labels = np.repeat(np.arange(len(SYMBOLS)), count)
    images = draw_glyphs([SYMBOLS[i] for i in labels], seed)
    return Samples("letters", "train", torch.from_numpy(images), torch.from_numpy(labels), SYMBOLS)


@pytest.fixture
def folder(tmp_path):
    """Five pictures of each symbol, dark ink on light paper."""
    return write(tmp_path / "three letters", 5, seed=1)


def write(root, count: int, seed: int):
    samples = letters(count, seed)
    for number, (image, label) in enumerate(zip(samples.images.numpy(), samples.labels.tolist(), strict=True)):
        place = root / SYMBOLS[label]
        place.mkdir(parents=True, exist_ok=True)
        picture = cv2.copyMakeBorder(255 - cv2.resize(image, (112, 112)), *[30] * 4, cv2.BORDER_CONSTANT, value=255)
        cv2.imwrite(str(place / f"{number}.png"), picture)
    return root


def taught_by(config: TransferConfig, source: str = "report", count: int = 5) -> Taught:
    *_, last = teach(open_network(source).module(), letters(count, 1), config)
    assert isinstance(last, Taught)
    return last


def accuracy(network, samples: Samples) -> float:
    with torch.inference_mode():
        answers = network.logits(as_input(samples.images)).argmax(1)
    return (answers == samples.labels).float().mean().item()


def test_letters_are_cut_out_of_their_pictures(folder):
    (folder / "psi" / "empty.png").write_bytes(cv2.imencode(".png", np.full((90, 90), 255, np.uint8))[1].tobytes())
    (folder / "psi" / "notes.txt").write_text("no picture")
    found = read_letters(folder)
    assert found.samples.classes == SYMBOLS[:1] + ("omega", "psi")
    assert len(found.samples) == len(found.pictures) == 15
    assert found.pictures[0] == "alpha/0.png"
    assert found.lost == (("psi/empty.png", "psi"), ("psi/notes.txt", "psi"))
    assert "No symbol was found in 2 of 17 pictures: psi/empty.png, psi/notes.txt." in found.samples.notes
    assert found.samples.images.dtype == torch.uint8


def test_a_folder_without_symbols_is_told(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="No symbol was found in any picture"):
        read_letters(tmp_path)


@pytest.mark.parametrize("method", ["head", "prototypes"])
def test_frozen_weights_stay_as_they_are(method):
    before = open_network("digits").module()
    network = taught_by(TransferConfig(method, epochs=2), "digits").network
    name, _ = output_layer(before)
    for key, value in before.state_dict().items():
        assert key.startswith(f"{name}.") or torch.equal(network.state_dict()[key], value), key


def test_fine_tuning_moves_all_layers_but_the_norms(monkeypatch):
    monkeypatch.setattr(methods, "AN_EPOCH", 100)
    before = open_network("digits").module().state_dict()
    after = taught_by(TransferConfig("finetune", epochs=1), "digits").network.state_dict()
    moved = {
        key for key in before if before[key].shape == after[key].shape and not torch.equal(before[key], after[key])
    }
    assert "features.0.0.weight" in moved
    assert not {key for key in moved if "running" in key}


def test_prototypes_are_the_nearest_class_means():
    network = with_classes(open_network("report").module(), 3)
    samples, others = letters(5, 1), letters(8, 2)
    vectors = embed(network, samples.images)
    _, layer = output_layer(network)
    set_prototypes(layer, vectors, samples.labels)
    with torch.inference_mode():
        answers = network.logits(as_input(others.images)).argmax(1)
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE, priors=[1 / 3] * 3)
    reference.fit(vectors.double().numpy(), samples.labels.numpy())
    np.testing.assert_array_equal(answers, reference.predict(embed(network, others.images).double().numpy()))


def test_what_is_learned_further_begins_where_letters_and_none_are_told_apart():
    """The scale and the offset are those of a logistic regression with the class "none" at logit 0, by another way."""
    network = with_classes(open_network("report").module(), 3)
    samples = letters(5, 1)
    rows, none = embed(network, samples.images), embed(network, negatives_of(samples, 0)[0][:, 0])
    _, layer = output_layer(network)
    set_prototypes(layer, rows, samples.labels)
    alone = torch.cat([rows, none]) @ layer.weight.T + layer.bias
    set_prototypes(layer, rows, samples.labels, none)
    logits = (torch.cat([rows, none]) @ layer.weight.T + layer.bias).detach()
    assert torch.equal(logits.argmax(1), alone.argmax(1))
    truth = torch.cat([samples.labels, torch.full((len(none),), 3)])

    def loss(at: np.ndarray) -> float:
        return F.cross_entropy(F.pad(logits * float(at[0]) + float(at[1]), (0, 1)), truth).item()

    assert loss(np.array([1.0, 0.0])) < 1
    found = scipy_minimize(loss, np.array([0.8, 0.5]), method="Nelder-Mead")
    assert loss(np.array([1.0, 0.0])) == pytest.approx(found.fun, abs=1e-4)


def test_frozen_norms_answer_as_before():
    network = open_network("digits").module()
    inputs = as_input(letters(3, 3).images)
    with torch.inference_mode():
        before = network.logits(inputs)
        freeze_norms(network)
        network.features.train()
        torch.testing.assert_close(network.embed(inputs) @ network.output.weight.T + network.output.bias, before)


@pytest.mark.parametrize("method", ["finetune", "head", "prototypes"])
def test_new_letters_are_read_after_five_samples_each(method):
    network = taught_by(TransferConfig(method, epochs=2), "digits").network
    assert accuracy(network, letters(40, 9)) >= 0.95


def test_the_same_seed_teaches_the_same():
    one, again, other = (
        taught_by(TransferConfig("head", epochs=1, seed=seed)).network.state_dict() for seed in (3, 3, 4)
    )
    assert all(torch.equal(one[key], again[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


def test_cross_validation_sees_through_labels_that_mean_nothing():
    """Labels at random can be learned by heart, and are right by chance on what was held out."""
    samples = letters(10, 1)
    shuffled = replace(samples, labels=samples.labels[torch.randperm(30, generator=torch.Generator().manual_seed(0))])
    source = open_network("digits").module()
    assert cross_validate(source, samples, TransferConfig("head", epochs=3)).accuracy >= 0.9
    assert cross_validate(source, shuffled, TransferConfig("head", epochs=3)).accuracy <= 0.6


def test_a_letter_with_one_sample_is_not_asked():
    samples = letters(2, 1).take(torch.tensor([0, 2, 3, 4, 5]))
    found = cross_validate(open_network("report").module(), samples, TransferConfig("prototypes"))
    assert found.left_out == ("alpha",)
    assert found.index.tolist() == [1, 2, 3, 4]
    assert found.labels.tolist() == [1, 1, 2, 2]
    nothing = samples.take(torch.tensor([0, 1, 3]))
    assert cross_validate(open_network("report").module(), nothing, TransferConfig("prototypes")) is None


def test_a_class_without_letters_is_told():
    samples = letters(2, 1).take(torch.tensor([0, 1, 2, 3]))
    with pytest.raises(TrainingError, match="There is no picture of 'omega' to learn from"):
        list(teach(open_network("report").module(), samples))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"method": "magic"},
            "The method must be one of finetune, head, prototypes, top, scratch, neighbours, not 'magic'",
        ),
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
    ],
)
def test_settings_that_cannot_be_are_told(changes, sentence):
    with pytest.raises(TrainingError, match=sentence):
        TransferConfig(**changes)


def test_a_network_that_reads_the_letters_is_kept(folder, tmp_path):
    test = write(tmp_path / "others", 4, seed=2)
    *events, result = transfer("digits", folder, "mine", TransferConfig("head", epochs=2), test)
    assert [event.epoch for event in events if isinstance(event, EpochDone)] == [1, 2]
    assert [event.done for event in events if isinstance(event, Validating)] == [0, 1, 2, 3, 4, 5]
    assert isinstance(result, TransferResult)
    tried = result.attempt
    assert tried.train_accuracy >= tried.test_accuracy - 1e-9 >= 0.9 - 1e-9
    assert len(tried.predictions) == 12
    right = sum(p.actual == p.predicted for p in tried.predictions)
    assert tried.test_accuracy == right / 12
    passport = open_network("mine").passport
    assert passport.classes == ("alpha", "omega", "psi")
    assert passport.training["from"] == "digits"
    assert passport.metrics["cross_validated_accuracy"] == tried.validation.accuracy
    image = cv2.imread(str(folder / "psi/5.png"))
    assert open_recognizer("mine").read(image).text == "ψ"


def test_without_test_pictures_the_predictions_are_the_cross_validations(folder):
    *_, result = transfer("report", folder, "mine", TransferConfig("prototypes"))
    tried = result.attempt
    assert tried.test_accuracy is None
    assert len(tried.predictions) == 15
    assert tried.validation.accuracy == sum(p.actual == p.predicted for p in tried.predictions) / 15


def test_a_test_picture_without_a_symbol_counts_as_wrong(folder, tmp_path):
    test = write(tmp_path / "others", 2, seed=2)
    (test / "psi/empty.png").write_bytes(cv2.imencode(".png", np.full((90, 90), 255, np.uint8))[1].tobytes())
    *_, result = transfer("report", folder, "mine", TransferConfig("prototypes", validate=False), test)
    assert (result.attempt.predictions[-1].predicted, len(result.attempt.predictions)) == ("", 7)
    assert result.attempt.test_accuracy <= 6 / 7


def test_letters_that_were_not_taught_cannot_be_tested(folder, tmp_path):
    test = write(tmp_path / "others", 1, seed=2)
    (test / "omega").rename(test / "zeta")
    with pytest.raises(DataError, match="hold 'zeta', which is not among the letters taught"):
        list(transfer("report", folder, "mine", TransferConfig("prototypes"), test))


def test_one_letter_alone_is_refused(tmp_path):
    root = write(tmp_path / "one", 2, seed=1)
    for name in ("psi", "omega"):
        for file in (root / name).iterdir():
            file.unlink()
    with pytest.raises(DataError, match="holds one letter only"):
        list(transfer("report", root, "mine"))


def test_a_taken_name_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(NetworkError, match="There is a network 'digits' already"):
        list(transfer("report", tmp_path / "nowhere", "digits"))


def test_a_network_for_tables_learns_no_letters(table_network, folder):
    with pytest.raises(NetworkError, match="'rows' takes the rows of a table; choose one that reads glyphs"):
        list(transfer("rows", folder, "mine"))


def test_the_command_line_keeps_its_contract(folder, capfd):
    asked = ["transfer", "--from", "report", "--json", "--letters"]
    assert main([*asked, str(folder), "--method", "head", "--epochs", "2"]) == 0
    *epochs, last = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [record["epoch"] for record in epochs] == [1, 2]
    assert epochs[0].keys() == {
        "epoch", "examples", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds",
    }  # fmt: skip
    assert epochs[0]["test_accuracy"] is None
    assert last.keys() == {
        "name", "classes", "trainable_parameters", "frozen_parameters", "train_accuracy", "cross_validated_accuracy",
        "test_accuracy", "per_class", "predictions",
    }  # fmt: skip
    assert (last["trainable_parameters"], last["frozen_parameters"]) == (153, 21_330)
    assert last["name"] == "report-three-letters"
    assert last["predictions"][0].keys() == {"image", "actual", "predicted", "confidence"}
    assert main([*asked, str(folder / "nowhere")]) == 2
    bad = capfd.readouterr()
    assert (bad.out, bad.err.count("\n")) == ("", 1)

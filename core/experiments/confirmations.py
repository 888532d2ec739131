"""Units of a confirmation: a trial's training with another seed, scored on the test set once, at its end."""

import json
from dataclasses import replace

from core.data import Samples, load
from core.experiments.classics import figures, fit
from core.experiments.trainings import scaled, teaching, train, whole_of
from core.experiments.transfers import teach, with_letters
from core.experiments.unit import Record, Unit, Watched
from core.networks.base import Network
from core.training.config import TrainingConfig
from core.training.fit import evaluate

KIND = "confirmation"


def setup_text(of: str) -> str:
    """The setup of a unit that confirms the setup `of`."""
    return json.dumps({"kind": KIND, "of": json.loads(of)}, sort_keys=True)


def confirm(unit: Unit, record: Record, watched: Watched) -> None:
    """Trains as the search did, then looks at the test set; raises `InklingError`."""
    setup = json.loads(unit.setup)["of"]
    own = replace(unit, setup=json.dumps(setup, sort_keys=True))
    dataset = setup["config"]["dataset"] if setup["kind"] == "training" else setup["dataset"]
    test = load(dataset, "test")
    if setup["kind"] == "transfer":
        test = with_letters(test, setup["letters"])
        accuracy = _accuracy(teach(own, record, watched), test)
    else:
        _, measured = scaled(teaching(whole_of(own, dataset), setup["samples"], unit.seed), test)
        if setup["kind"] == "classic":
            _, accuracy = figures(fit(own, record, watched), measured)
        else:
            accuracy = _accuracy(train(own, record, watched), measured)
    record["test"] = {"accuracy": accuracy, "samples": len(test), "sha256": test.sha256}


def _accuracy(network: Network | None, test: Samples) -> float:
    assert network is not None  # nothing is pruned here
    found = evaluate(network, test, TrainingConfig())
    assert found is not None  # nobody stops this
    return found[1]

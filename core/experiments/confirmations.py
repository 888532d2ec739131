"""Units of a confirmation: a trial's training with another seed, scored on the test set once, at its end."""

import json
from dataclasses import replace

from core.data import load
from core.errors import ExperimentError
from core.experiments.classics import figures, fit
from core.experiments.trainings import scaled, teaching, train, whole_of
from core.experiments.unit import Record, Unit, Watched
from core.training.config import TrainingConfig
from core.training.fit import evaluate

KIND = "confirmation"


def setup_text(of: str) -> str:
    """The setup of a unit that confirms the setup `of`; raises `ExperimentError` for a kind that has no test set."""
    setup = json.loads(of)
    if setup["kind"] not in ("training", "classic"):
        raise ExperimentError(
            "Letters taught by transfer are measured by cross-validation; test them on letters of their own on the "
            "page Greek Transfer."
        )
    return json.dumps({"kind": KIND, "of": setup}, sort_keys=True)


def confirm(unit: Unit, record: Record, watched: Watched) -> None:
    """Trains as the search did, then looks at the test set; raises `InklingError`."""
    setup = json.loads(unit.setup)["of"]
    own = replace(unit, setup=json.dumps(setup, sort_keys=True))
    dataset = setup["dataset"] if setup["kind"] == "classic" else setup["config"]["dataset"]
    test = load(dataset, "test")
    taught = teaching(whole_of(own, dataset), setup["samples"], unit.seed)
    _, measured = scaled(taught, test)
    if setup["kind"] == "classic":
        _, accuracy = figures(fit(own, record, watched), measured)
    else:
        network = train(own, record, watched)
        found = evaluate(network, measured, TrainingConfig())
        assert found is not None  # nobody stops this
        accuracy = found[1]
    record["test"] = {"accuracy": accuracy, "samples": len(test), "sha256": test.sha256}

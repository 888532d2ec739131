"""A trial as a stored network: trained again with exactly its settings and its seed, as a run of the Train page."""

import json
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from core.experiments.dimensions import Configuration
from core.experiments.looks import Look, Looks
from core.experiments.origin import ORIGIN, Origin
from core.experiments.setups import Setup
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.networks.store import write_atomically
from core.training import jobs
from core.training.config import TrainingConfig
from core.training.runs import Run


def config_of(study: Study, configuration: Configuration, seed: int | None = None) -> TrainingConfig:
    """The training that a trial stands for; raises `InklingError` where it is none of a network.

    A study's trials learn from their data set alone, whatever else the network's recipe would add.
    """
    config = study.setup(configuration).config
    return replace(config, seed=study.seed if seed is None else seed, also=(), negatives=0)


def samples_of(study: Study, configuration: Configuration) -> int | None:
    """How many samples taught the trial, where they were not all: the stored network will have learned from all."""
    setup = study.setup(configuration)
    return setup.samples if isinstance(setup, Setup) else None


def keep(study: Study, storage: Storage, trial: int, configuration: Configuration, accuracy: float, name: str) -> Run:
    """Begins the training in the background; the network stands in the store once it has ended.

    Its test accuracy is a look at the test set, and counts as one.

    Raises `NetworkError` for a name that is taken or none, `ExperimentError` for a trial that is no network.
    """
    config = config_of(study, configuration)
    run = jobs.start(config, name)
    Looks(storage).write(Look(study.name, study.dataset, trial, (config.seed,), config.epochs, (), "kept"))
    write_origin(run.folder, study, storage, trial, configuration, accuracy)
    return run


def write_origin(
    folder: Path, study: Study, storage: Storage, trial: int, configuration: Configuration, accuracy: float
) -> None:
    """Beside the network that is, or will be, in that folder of the store."""
    address = sa.make_url(storage.url).set(password=None).render_as_string()  # ~/.pgpass has it, no file of ours
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in configuration.items()}
    record = Origin(study.name, address, study.question, trial, values, accuracy)
    write_atomically(folder / ORIGIN, json.dumps(record.__dict__).encode())

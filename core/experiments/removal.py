"""Taking a study out of its storage."""

import optuna
import sqlalchemy as sa

from core.errors import ExperimentError
from core.experiments.ledger import LEASES, Lease
from core.experiments.storage import Storage, shown


def delete_study(storage: Storage, name: str) -> None:
    """Deletes the study with its trials; its single trainings stay in the ledger, for any study that asks again.

    Raises `ExperimentError` for an unknown study, and for one that somebody works on.
    """
    holder = Lease(storage, name).holder()
    if holder is not None and holder.alive:
        raise ExperimentError(f"The study {name!r} is being worked on; stop it before it is deleted.")
    try:
        storage.patiently(lambda: optuna.delete_study(study_name=name, storage=storage.optuna))
    except KeyError as error:
        raise ExperimentError(f"There is no study {name!r} in {shown(storage.url)}.") from error

    def forget() -> None:
        with storage.engine.begin() as connection:
            connection.execute(sa.delete(LEASES).where(LEASES.c.study == name))

    storage.patiently(forget)

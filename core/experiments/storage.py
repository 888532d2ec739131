"""Where studies live: Optuna's storage (SQLite on this machine, PostgreSQL for many), and our own two tables in it."""

import logging
from collections.abc import Callable
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.study import StudySummary
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_exponential

from core.errors import ExperimentError
from core.experiments import OBJECTIVES
from core.experiments.study import Study
from core.paths import home_dir

optuna.logging.set_verbosity(optuna.logging.WARNING)  # its lines on standard error are for its own command line
log = logging.getLogger(__name__)

PATIENCE_S = 300.0  # a storage that restarts is back by then; what a trial found is not thrown away before
BUSY_S = 60  # SQLite: writers wait for one another so long
RECORD = "inkling"  # user attribute of an Optuna study: our own record of it
FINISHED = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED, optuna.trial.TrialState.FAIL)
metadata = sa.MetaData()


def own_storage() -> str:
    """The address of this machine's own storage."""
    return f"sqlite:///{(home_dir() / 'studies' / 'studies.db').absolute()}"


class Storage:
    """An opened storage; `url` opens it elsewhere again. Raises `ExperimentError` where none answers."""

    def __init__(self, url: str | None = None, patience_s: float = PATIENCE_S) -> None:
        self.url = url or own_storage()
        self.patience_s = patience_s
        if self.url == own_storage():
            (home_dir() / "studies").mkdir(parents=True, exist_ok=True)
        try:
            self.optuna = RDBStorage(self.url, engine_kwargs=_engine_settings(self.url))
            metadata.create_all(self.optuna.engine)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise ExperimentError(
                f"{shown(self.url)} is no storage's address: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME is."
            ) from error
        except (SQLAlchemyError, StorageInternalError) as error:
            raise ExperimentError(f"The storage {shown(self.url)} does not answer: {_reason(error)}.") from error
        except RuntimeError as error:  # a schema of another Optuna
            raise ExperimentError(
                f"The storage {shown(self.url)} was made by another version: {_reason(error)}."
            ) from error

    @property
    def engine(self) -> sa.Engine:
        return self.optuna.engine

    def patiently(self, call: Callable[[], Any]) -> Any:
        """The call's answer; while the storage does not answer it is asked again, for `patience_s` at most."""
        asking = retry(
            retry=retry_if_exception(is_absence), stop=stop_after_delay(self.patience_s), reraise=True,
            wait=wait_exponential(0.2, max=5), before_sleep=lambda state: log.warning("The storage does not answer."),
        )  # fmt: skip
        try:
            return asking(call)()
        except (SQLAlchemyError, StorageInternalError) as error:
            raise ExperimentError(f"The storage {shown(self.url)} does not answer: {_reason(error)}.") from error

    def names(self) -> list[str]:
        """Of the studies that are ours, the newest first."""
        summaries: list[StudySummary] = self.patiently(lambda: optuna.get_all_study_summaries(self.optuna, False))
        return [summary.study_name for summary in reversed(summaries) if RECORD in summary.user_attrs]

    def open(self, name: str) -> tuple[Study, optuna.Study]:
        """Raises `ExperimentError` for an unknown name or a study of another version."""
        try:
            found = self.patiently(lambda: optuna.load_study(study_name=name, storage=self.optuna))
        except KeyError as error:
            raise ExperimentError(f"There is no study {name!r} in {shown(self.url)}.") from error
        record = self.patiently(lambda: found.user_attrs).get(RECORD)
        if record is None:
            raise ExperimentError(f"The study {name!r} was not made by Inkling.")
        return Study.from_json(record, name), found

    def keep(self, study: Study) -> optuna.Study:
        """The study in the storage, new or as it was begun; raises `ExperimentError` where another has its name.

        `trials` and `minutes` may change from one start to the next: they say when to end.
        """
        found = self.patiently(
            lambda: optuna.create_study(
                study_name=study.name, storage=self.optuna, load_if_exists=True,
                directions=[OBJECTIVES[objective] for objective in study.objectives],
            )
        )  # fmt: skip
        before = self.patiently(lambda: found.user_attrs).get(RECORD)
        if before is not None and _fixed(before) != _fixed(study.to_json()):
            differing = [
                key for key in {**before, **study.to_json()} if _fixed(before).get(key) != study.to_json().get(key)
            ]
            raise ExperimentError(
                f"Another study is called {study.name!r} (it differs in {', '.join(differing)}); choose another name, "
                "or go on with it as it was."
            )
        self.patiently(lambda: found.set_user_attr(RECORD, study.to_json()))
        return found


def is_absence(error: BaseException) -> bool:
    """Whether the storage did not answer; what it answered that is an error is no absence."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, DBAPIError):
        return cause.connection_invalidated or isinstance(cause, sa.exc.OperationalError | sa.exc.InterfaceError)
    return isinstance(cause, sa.exc.TimeoutError)


def shown(url: str) -> str:
    """The address without its password."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return repr(url)


def _engine_settings(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": BUSY_S}}
    return {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}


def _fixed(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in ("trials", "minutes")}


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    return " ".join(str(getattr(cause, "orig", None) or cause).split())[:200].rstrip(".")

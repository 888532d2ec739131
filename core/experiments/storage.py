"""Where studies live: Optuna's storage (SQLite on this machine, PostgreSQL for many), and our own two tables in it."""

import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from tenacity import RetryCallState, retry, retry_if_exception, stop_after_delay, wait_exponential

from core.errors import ExperimentError
from core.experiments import OBJECTIVES
from core.experiments.study import Study
from core.paths import home_dir

optuna.logging.set_verbosity(optuna.logging.WARNING)  # its lines on standard error are for its own command line
log = logging.getLogger(__name__)

PATIENCE_S = 300.0  # a storage that restarts is back by then; what a trial found is not thrown away before
LASTING = ("readonly database", "no such table", "password authentication failed")  # waiting does not help
BUSY_S = 60  # SQLite: writers wait for one another so long
RECORD = "inkling"  # user attribute of an Optuna study: our own record of it
FINISHED = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED, optuna.trial.TrialState.FAIL)
_SILENCE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 20_000}
metadata = sa.MetaData()
_STUDIES = sa.table("studies", sa.column("study_id"), sa.column("study_name"))  # Optuna's
_ATTRIBUTES = sa.table("study_user_attributes", sa.column("study_id"), sa.column("key"))
_TRIALS = sa.table("trials", sa.column("study_id"), sa.column("state"))


def own_storage() -> str:
    """The address of this machine's own storage."""
    return f"sqlite:///{(home_dir() / 'studies' / 'studies.db').absolute()}"


@lru_cache(maxsize=8)
def opened(url: str) -> "Storage":
    """The storage at the address, opened once for all who look; they do not wait for one that does not answer."""
    return Storage(url, patience_s=1.0)


@dataclass(frozen=True)
class Counts:
    """A study's trials by their state."""

    complete: int = 0
    pruned: int = 0
    failed: int = 0
    running: int = 0  # begun, though many of them only wait for a worker

    @property
    def all(self) -> int:
        return self.complete + self.pruned + self.failed + self.running


class Tables:
    """Our own tables at an address; opened at the first question, which is all that a worker needs."""

    def __init__(self, url: str, patience_s: float = PATIENCE_S, engine: sa.Engine | None = None) -> None:
        self.url, self.patience_s = url, patience_s
        self.engine = engine or sa.create_engine(url, **_engine_settings(url))
        # For single statements: locked for their own time only, not until a busy Python comes to its commit.
        self.single = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.waits: Callable[[str], None] = log.warning  # is told, as a sentence, that the storage is waited for
        self.waiting = False

    def patiently(self, call: Callable[[], Any]) -> Any:
        """The call's answer; while the storage does not answer it is asked again, for `patience_s` at most."""
        asking = retry(
            retry=retry_if_exception(is_absence), stop=stop_after_delay(self.patience_s), reraise=True,
            wait=wait_exponential(0.2, max=2), before_sleep=self._say_it_waits,
        )  # fmt: skip
        try:
            answer = asking(call)()
        except (SQLAlchemyError, StorageInternalError) as error:
            raise ExperimentError(_why_closed(self.url, error)) from error
        self.waiting = False
        return answer

    def _say_it_waits(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error and not self.waiting and state.attempt_number > 1:  # not a mere hiccup
            self.waiting = True
            self.waits(f"Waiting for the storage {shown(self.url)}, which does not answer: {_reason(error)}.")


class Storage(Tables):
    """An opened storage; `url` opens it elsewhere again. Raises `ExperimentError` where none answers."""

    def __init__(self, url: str | None = None, patience_s: float = PATIENCE_S) -> None:
        url = url or own_storage()
        try:
            if url == own_storage():
                (home_dir() / "studies").mkdir(parents=True, exist_ok=True)
            self.optuna = _open(url)
            super().__init__(url, patience_s, self.optuna.engine)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise ExperimentError(
                f"{shown(url)} is no storage's address: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME is."
            ) from error
        except OSError as error:
            raise ExperimentError(f"{home_dir() / 'studies'} cannot be made ({error.strerror}).") from error
        except (SQLAlchemyError, StorageInternalError) as error:
            raise ExperimentError(_why_closed(url, error)) from error
        except RuntimeError as error:  # a schema of another Optuna
            raise ExperimentError(
                f"The storage {shown(url)} was made by another version of Optuna than {optuna.__version__}, which "
                "Inkling needs; open it with the version that made it, or take another storage."
            ) from error

    def counts(self, name: str) -> Counts | None:
        """Of the study's trials; None for an unknown study."""
        study = sa.select(_STUDIES.c.study_id).where(_STUDIES.c.study_name == name)
        query = sa.select(_TRIALS.c.state, sa.func.count()).group_by(_TRIALS.c.state)

        def count() -> Counts | None:
            with self.engine.connect() as connection:
                number = connection.execute(study).scalar()
                if number is None:
                    return None
                rows = connection.execute(query.where(_TRIALS.c.study_id == number)).all()
                found = {row[0]: row[1] for row in rows}
            return Counts(*(found.get(state, 0) for state in ("COMPLETE", "PRUNED", "FAIL", "RUNNING")))

        return self.patiently(count)

    def names(self) -> list[str]:
        """Of the studies that are ours, the newest first; without their trials, which Optuna's summaries count."""
        ours = _ATTRIBUTES.c.key == RECORD
        query = sa.select(_STUDIES.c.study_name).join(_ATTRIBUTES, _STUDIES.c.study_id == _ATTRIBUTES.c.study_id)

        def names() -> list[str]:
            with self.engine.connect() as connection:
                return list(connection.scalars(query.where(ours).order_by(_STUDIES.c.study_id.desc())))

        return self.patiently(names)

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
        was, now = _fixed(before or study.to_json()), _fixed(study.to_json())
        if was != now:
            differing = [key for key in {**was, **now} if was.get(key) != now.get(key)]
            raise ExperimentError(
                f"Another study is called {study.name!r} (it differs in {', '.join(differing)}); choose another name, "
                "or go on with it as it was."
            )
        self.patiently(lambda: found.set_user_attr(RECORD, study.to_json()))
        return found


def is_absence(error: BaseException) -> bool:
    """Whether the storage did not answer; what it answered that is an error is no absence."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if any(text in str(cause) for text in LASTING):
        return False
    if isinstance(cause, DBAPIError):
        return cause.connection_invalidated or isinstance(cause, sa.exc.OperationalError | sa.exc.InterfaceError)
    return isinstance(cause, sa.exc.TimeoutError)


def shown(url: str) -> str:
    """The address without its password."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return repr(url)


def _open(url: str) -> RDBStorage:
    """Optuna's storage and our tables, made where they are missing; another process may be making them too."""
    import_module("core.experiments.ledger")  # its tables are made too, whoever opens the storage
    for last in (False, False, True):
        try:
            found = RDBStorage(url, engine_kwargs=_engine_settings(url))
            metadata.create_all(found.engine)
            return found
        except (DBAPIError, StorageInternalError) as error:
            if last or "exist" not in str(error):
                raise
            time.sleep(0.5)
    raise AssertionError


def _engine_settings(url: str) -> dict[str, Any]:
    if sa.make_url(url).get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": BUSY_S}}
    return {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5} | _SILENCE}


@sa.event.listens_for(sa.Engine, "connect")
def _many_processes_at_once(connection: Any, _: object) -> None:
    """SQLite: readers and one writer at a time side by side; a power cut may cost the last second, but breaks nothing.

    See https://www.sqlite.org/wal.html and PRAGMA synchronous there.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


def _why_closed(url: str, error: BaseException) -> str:
    """One sentence or two: what is wrong with the storage, and what helps."""
    reason, where = _reason(error), f"The storage {shown(url)}"
    known = {
        "not a database": f"{where} is a file that holds no database; name another file.",
        "unable to open database file": f"{where} cannot be opened: its folder is missing or may not be read.",
        "readonly database": f"{where} cannot be written to; take another folder, or set INKLING_HOME to one.",
        "is full": f"{where} cannot be written to: the disk is full.",
        "password": f"{where} refuses this user or password; an address is postgresql+psycopg://USER:PASSWORD@HOST/"
        "NAME, and the file ~/.pgpass keeps a password out of it.",
        "does not exist": f"{where} is not there ({reason}); make it with: createdb NAME.",
    }
    return next((text for part, text in known.items() if part in reason), f"{where} does not answer: {reason}.")


def _fixed(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in ("trials", "minutes")}


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    return " ".join(str(getattr(cause, "orig", None) or cause).split())[:200].rstrip(".?")

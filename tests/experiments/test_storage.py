import sqlite3
import threading

import optuna
import pytest
import sqlalchemy as sa

from core.errors import ExperimentError
from core.experiments.ledger import LEASES, Lease, LeaseLost, Ledger
from core.experiments.storage import Storage, Tables
from core.experiments.study import Study

STUDY = Study("Why?", {"dropout": (0.1, 0.3)}, "why", dataset="digits-8x8")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 's.db'}"


def test_a_file_that_holds_no_database(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear database, " * 100)
    with pytest.raises(ExperimentError, match="letter.txt is a file that holds no database; name another file"):
        Storage(f"sqlite:///{tmp_path / 'letter.txt'}")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ExperimentError, match="cannot be opened: its folder is missing or may not be read"):
        Storage(f"sqlite:///{tmp_path / 'none' / 's.db'}")


def test_a_database_that_cannot_be_written_to(url, tmp_path):
    Storage(url)
    with pytest.raises(ExperimentError, match="cannot be written to; take another folder, or set INKLING_HOME"):
        Storage(f"sqlite:///file:{tmp_path / 's.db'}?mode=ro&uri=true").keep(STUDY)


def test_a_full_disk_is_waited_for(url):
    """SQLite is told that the file may not grow, which it reports as it does a full disk."""
    storage = Storage(url, patience_s=1.5)
    said = []
    storage.waits = said.append
    sa.event.listen(storage.engine, "connect", lambda one, _: one.execute("PRAGMA max_page_count = 1"))
    storage.engine.dispose()
    with pytest.raises(ExperimentError, match="the disk is full"):
        Ledger(storage).write("a", "why", {"state": "running", "text": "x" * 500_000})
    assert "full" in said[0]


def test_a_storage_of_another_optuna(url):
    storage = Storage(url)
    with storage.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'v9.9.9.z'"))
    with pytest.raises(ExperimentError, match="was made by another version of Optuna than"):
        Storage(url)


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("postgresql+psycopg://me:secret@127.0.0.1:1/none", r"me:\*\*\*@127.0.0.1:1/none does not answer: .*refused"),
        ("no address", "'no address' is no storage's address: sqlite:///FILE or postgresql"),
        ("martian://moon/crater", "martian://moon/crater is no storage's address"),
    ],
)
def test_an_address_where_no_storage_answers(address, match):
    with pytest.raises(ExperimentError, match=match) as told:
        Storage(address)
    assert "secret" not in str(told.value)


def test_a_study_of_an_older_version_and_a_stranger_s(url):
    storage = Storage(url)
    found = storage.keep(STUDY)
    found.set_user_attr("inkling", STUDY.to_json() | {"format": 0})
    with pytest.raises(ExperimentError, match="of format 0; this version of Inkling knows format 1"):
        storage.open("why")
    optuna.create_study(study_name="strange", storage=storage.optuna)
    with pytest.raises(ExperimentError, match="The study 'strange' was not made by Inkling"):
        storage.open("strange")
    with pytest.raises(ExperimentError, match="There is no study 'none'"):
        storage.open("none")
    assert storage.names() == ["why"]


def test_many_write_at_once_and_nothing_is_lost(url):
    """Each thread has a storage of its own, as processes have."""
    Storage(url)

    def write(writer: int) -> None:
        ledger = Ledger(Tables(url))
        for number in range(30):
            ledger.write(f"{writer}-{number}", "why", {"state": "running", "writer": writer})

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(Ledger(Tables(url)).running("why")) == 120


def test_what_is_finished_stays(url):
    ledger = Ledger(Storage(url))
    ledger.write("a", "why", {"state": "running", "epochs": [1]})
    ledger.write("a", "why", {"state": "finished", "epochs": [1, 2]})
    ledger.write("a", "other", {"state": "running", "epochs": []})  # one that was thought dead, and is late
    assert ledger.read(["a", "b"]) == {"a": {"state": "finished", "epochs": [1, 2]}}


def test_only_one_has_a_lease_and_a_silent_one_loses_it(url):
    first, second = (Lease(Storage(url), "why") for _ in range(2))
    assert first.take()
    assert not second.take()
    assert second.holder().alive
    storage = Storage(url)
    with storage.engine.begin() as connection:  # not heard of for longer than anybody waits
        connection.execute(sa.update(LEASES).values(beat=sa.func.datetime("now", "-20 seconds")))
    assert not second.holder().alive
    assert second.take()
    assert first.beat({}) == (False, False)
    with storage.engine.begin() as connection, pytest.raises(LeaseLost):
        first.fence(connection)
    with storage.engine.begin() as connection:
        second.fence(connection)
    first.let_go({"ended": "finished"})  # not its own to give
    assert second.holder().alive
    second.let_go({"ended": "stopped"})
    assert second.look() == (None, {"ended": "stopped"})
    assert first.take()


def test_a_lease_of_a_process_that_died_on_this_machine_is_free_at_once(url):
    dead, next_one = (Lease(Storage(url), "why") for _ in range(2))
    place, _, _ = dead.owner.rsplit(":", 2)
    dead.owner = f"{place}:4194303:gone"  # above the largest process number of most systems
    assert dead.take()
    assert next_one.take()


def test_sqlite_serves_readers_beside_a_writer(url, tmp_path):
    storage = Storage(url)
    with sqlite3.connect(tmp_path / "s.db") as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert storage.names() == []
    writer.close()

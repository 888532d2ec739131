"""The trash gives back what it was given, forgets what is old, and touches nothing else."""

import time

import pytest

from core.errors import InklingError
from core.networks.trash import list_trash, put_back, throw_away


@pytest.fixture
def folder(tmp_path):
    for name in ("1/a.png", "1/b.png", "2/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_files_come_back_to_their_own_folders(folder):
    token = throw_away([folder / "1/a.png", folder / "2/c.png"], folder, "scraps")
    assert [f.name for f in folder.rglob("*.png")] == ["b.png"]
    (folder / "2").rmdir()
    assert list_trash("scraps", "*/*.png")[0].names == ("1/a.png", "2/c.png")
    assert list_trash("others", "*/*.png") == []
    put_back(token, folder, "*/*.png")
    assert {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*.png")} == {
        name: name for name in ("1/a.png", "1/b.png", "2/c.png")
    }


def test_what_stands_there_again_is_not_written_over(folder):
    token = throw_away([folder / "1/a.png", folder / "1/b.png"], folder, "scraps")
    (folder / "1/b.png").write_text("new")
    with pytest.raises(InklingError, match=r"There is 'b\.png' again"):
        put_back(token, folder, "*/*.png")
    assert (folder / "1/b.png").read_text() == "new"
    assert not (folder / "1/a.png").exists()
    assert list_trash("scraps", "*/*.png")[0].names == ("1/a.png", "1/b.png")


def test_a_move_that_fails_half_way_is_taken_back(folder):
    with pytest.raises(FileNotFoundError):
        throw_away([folder / "1/a.png", folder / "1/missing.png"], folder, "scraps")
    assert (folder / "1/a.png").read_text() == "1/a.png"


@pytest.mark.parametrize("token", ["", "..", "../networks", "scraps-0000000000", "scraps-1700000000-0123456z", "a/b"])
def test_only_tokens_open_the_trash(folder, inkling_home, token):
    (inkling_home / "networks" / "mine").mkdir(parents=True)
    with pytest.raises(InklingError, match="no longer in the trash"):
        put_back(token, folder)
    assert (inkling_home / "networks" / "mine").is_dir()


def test_after_thirty_days_it_is_gone_for_good(folder, inkling_home, monkeypatch):
    old = throw_away([folder / "1/a.png"], folder, "scraps")
    (inkling_home / "trash" / "not-ours").mkdir()
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 29 * 86_400)
    recent = throw_away([folder / "1/b.png"], folder, "scraps")
    assert {d.token for d in list_trash("scraps", "*/*.png")} == {old, recent}
    monkeypatch.setattr("time.time", lambda: now + 31 * 86_400)
    last = throw_away([folder / "2/c.png"], folder, "scraps")
    assert [d.token for d in list_trash("scraps", "*/*.png")] == [last, recent]
    with pytest.raises(InklingError, match="over 30 days ago"):
        put_back(old, folder, "*/*.png")
    assert (inkling_home / "trash" / "not-ours").is_dir()

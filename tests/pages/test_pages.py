"""What holds for every page of the navigation."""

import re

import pytest

from app import PAGES
from core.paths import ASSETS, PROJECT


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_a_page_opens_with_its_title_its_purpose_and_the_network_in_use(open_app, page):
    app = open_app(page.file)
    assert [title.value for title in app.title] == [page.title]
    assert re.fullmatch(r"[^.]+\.", app.markdown[0].value), "the purpose is one sentence"
    assert app.selectbox(key="network_picker").value in {"digits", "report"}


def test_every_page_is_in_the_navigation():
    assert {page.file for page in PAGES} == {f"pages/{file.name}" for file in (PROJECT / "pages").glob("*.py")}


def test_the_network_is_remembered_from_page_to_page(open_app):
    app = open_app()
    app.selectbox(key="network_picker").select("report").run()
    app.switch_page("pages/live_camera.py").run()
    assert app.selectbox(key="network_picker").value == "report"


def test_without_any_network_a_page_says_what_to_do(open_app, monkeypatch, tmp_path):
    monkeypatch.setattr("core.networks.store.ASSETS", tmp_path)
    app = open_app()
    assert [warning.value for warning in app.warning] == [
        "There is no trained network yet: train one with `make networks`."
    ]


def test_a_damaged_network_is_told_in_one_sentence(open_app, monkeypatch, tmp_path):
    folder = tmp_path / "networks" / "digits"
    folder.mkdir(parents=True)
    passport = (ASSETS / "networks" / "digits" / "passport.json").read_text("utf-8")
    (folder / "passport.json").write_text(passport, "utf-8")
    (folder / "weights.safetensors").write_bytes(b"something else")
    monkeypatch.setattr("core.networks.store.ASSETS", tmp_path)
    app = open_app()
    assert len(app.error) == 1
    assert "SHA-256" in app.error[0].value

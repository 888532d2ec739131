"""Requests of a page that was left do not undo the choice of another one; everything else is passed on."""

import pytest
from streamlit.proto.ClientState_pb2 import ClientState

from pages.components import page_changes


class Session:
    """Stands for Streamlit's session: it is only a key here, and remembers nothing itself."""


@pytest.fixture
def ask(monkeypatch):
    """`ask(page, widget=…, timer=…)` → whether the request reached Streamlit."""
    passed_on = []
    monkeypatch.setattr(page_changes, "_request_rerun", lambda session, state: passed_on.append(state))
    session = Session()

    def ask_(page: str, widget: bool = False, timer: bool = False) -> bool:
        state = ClientState(page_script_hash=page, is_auto_rerun=timer)
        if widget:
            state.widget_states.widgets.add(id="slider", int_value=3)
        before = len(passed_on)
        page_changes._request_rerun_unless_stale(session, state)
        return len(passed_on) > before

    return ask_


def test_a_late_timer_or_component_of_the_page_that_was_left_is_not_listened_to(ask):
    assert ask("live")
    assert ask("live", widget=True, timer=True)
    assert ask("draw")
    assert not ask("live", widget=True, timer=True)
    assert not ask("live", timer=True)
    assert not ask("live", widget=True)
    assert ask("draw", widget=True)


def test_going_back_is_a_choice_like_any_other(ask):
    assert ask("live")
    assert ask("draw")
    assert ask("live")
    assert ask("live", widget=True)
    assert not ask("draw", widget=True)


def test_after_a_moment_everything_is_passed_on_again(ask, monkeypatch):
    assert ask("live")
    assert ask("draw")
    monkeypatch.setattr(page_changes, "SETTLE_S", 0.0)
    assert ask("live", widget=True)

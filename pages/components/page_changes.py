"""Keeps page changes: a stopgap for a race in Streamlit 1.67.

A fragment's timer (`run_every`) and a component that has just been set up ask for a rerun under the page that they
stand on. When such a request is under way while the visitor goes to another page, Streamlit takes its page for the
newest wish and goes back. Here, for a moment after a page was chosen, nothing of another page is listened to.
"""

import time
from weakref import WeakKeyDictionary

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

SETTLE_S = 5.0  # by then the browser has long shown the new page, and what it sends is the new page's

_request_rerun = AppSession.request_rerun
_chosen: WeakKeyDictionary[AppSession, tuple[str, float]] = WeakKeyDictionary()  # page and time of the last choice


def keep_page_changes() -> None:
    """From now on, for all visitors; calling it again changes nothing."""
    AppSession.request_rerun = _request_rerun_unless_stale


def _request_rerun_unless_stale(session: AppSession, client_state: ClientState | None) -> None:
    if client_state is not None and _is_stale(session, client_state):
        return
    _request_rerun(session, client_state)


def _is_stale(session: AppSession, client_state: ClientState) -> bool:
    """Whether a request comes from another page than the one that was chosen a moment ago."""
    page, now = client_state.page_script_hash, time.monotonic()
    # the browser sends a choice of page, and nothing else, without the states of widgets
    is_choice = not client_state.is_auto_rerun and not client_state.widget_states.widgets
    if is_choice and page:
        _chosen[session] = page, now
        return False
    chosen, since = _chosen.get(session, (page, 0.0))
    return page != chosen and now - since < SETTLE_S

"""Watching a training: its state, progress, speed and curves, live; stopping it, and going on with it."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.errors import InklingError
from core.networks import delete_network
from core.report.curves import accuracy_curves, learning_curves
from core.training import History, Run, jobs, list_runs
from core.training.runs import BUSY
from pages.components.figure import show_figure
from pages.components.keys import NETWORK_PICKER, TRAIN_PROGRESS, TRAIN_STOP
from pages.components.tiles import show_tiles

WATCHED, USE_NEXT, LOG = "train_watched", "train_use_next", "train_log"
UNITS = {"cross-entropy": "nats per example", "mse": "mean squared error"}
EVERY_S, IDLE_S = 1.0, 5.0
STATES = {  # colour, icon, in words
    "queued": ("grey", ":material/hourglass_empty:", "waits for its turn"),
    "running": ("blue", ":material/directions_run:", "is training"),
    "stopped": ("orange", ":material/stop_circle:", "was stopped"),
    "finished": ("green", ":material/check_circle:", "is trained"),
    "diverged": ("red", ":material/trending_up:", "diverged"),
    "failed": ("red", ":material/error:", "broke off"),
    "interrupted": ("orange", ":material/power_off:", "was interrupted"),
}


def watch(run: Run) -> None:
    """From now on this run is the one to watch."""
    st.session_state[WATCHED] = run.name


def use_what_was_trained() -> None:
    """Before the picker is shown: a network whose training has just ended here is the one in use."""
    if name := st.session_state.pop(USE_NEXT, None):
        st.session_state[NETWORK_PICKER] = name


def has_runs() -> bool:
    return bool(list_runs())


def progress_panel() -> None:
    """The live panel; it looks every second while anything is trained, and now and then for what others start."""
    busy = _anything_busy()
    st.fragment(_panel, run_every=EVERY_S if busy else IDLE_S)(seen_busy=busy)


def _anything_busy() -> bool:
    return any(run.state in BUSY or run.is_locked() for run in list_runs())


def _panel(seen_busy: bool) -> None:
    if not seen_busy and _anything_busy():
        st.rerun()  # with the quick timer
    runs = {run.name: run for run in list_runs()}
    with st.container(key=TRAIN_PROGRESS):
        # Each part in a place of its own: what comes and goes in one leaves no shadow of the others behind.
        choice, headline, figures, buttons, curves = (st.container() for _ in range(5))
        with choice:
            run = _choose(runs)
        if run is None:
            return
        state = run.state
        try:
            history = run.history
        except InklingError as error:
            st.error(str(error), icon=":material/error:")
            return
        _after_the_end(run, state, history)
        with headline:
            _headline(run, state, history)
        with figures:
            _figures(run, history)
        with buttons:
            _buttons(run, state, history)
        with curves:
            _curves(run, history)


def _choose(runs: dict[str, Run]) -> Run | None:
    """The run to watch: the one chosen, else the one that is being trained, else the newest."""
    if not runs:
        return None
    if st.session_state.get(WATCHED) not in runs:
        training = [name for name, run in runs.items() if run.state == "running"]
        st.session_state[WATCHED] = (training or list(runs))[0]
    if len(runs) > 1:
        st.selectbox("Training", list(runs), key=WATCHED, format_func=lambda name: f"{name} · {runs[name].state}")
    return runs[st.session_state[WATCHED]]


def _after_the_end(run: Run, state: str, history: History) -> None:
    """As soon as a run that was seen training has ended, the whole page shows it, and the timer stands still."""
    seen = st.session_state.setdefault("train_seen_busy", set())
    if state in BUSY or run.is_locked():
        seen.add(run.name)
    elif run.name in seen:
        seen.discard(run.name)
        if history.kept:
            st.session_state[USE_NEXT] = run.name
        st.rerun()


def _headline(run: Run, state: str, history: History) -> None:
    colour, icon, words = STATES[state]
    if state == "queued" and not _before(run):
        words = "is starting …"
    st.markdown(f"{icon} **{run.name}** :{colour}[{words}]" + _place_in_queue(run, state))
    if history.message:
        st.markdown(history.message)
    elif state == "running":
        st.progress(history.progress, _progress_text(run, history))
    if state == "interrupted":
        st.markdown(f"The process that trained it is gone; {len(history.epochs)} whole epochs are kept.")


def _figures(run: Run, history: History) -> None:
    last = history.epochs[-1] if history.epochs else None
    show_tiles(
        {
            "Epoch": f"{len(history.epochs)} of {run.config.all_epochs}",
            "Test accuracy": f"{last['test_accuracy']:.2%}" if last else "–",
            "Examples a second": f"{history.examples_per_second:,.0f}" if history.examples_per_second else "–",
            "Time": _duration(last["seconds"]) if last else "–",
        },
        {"Time": "Of the whole epochs together."},
    )


def _place_in_queue(run: Run, state: str) -> str:
    return f" behind {', '.join(before)}" if state == "queued" and (before := _before(run)) else ""


def _before(run: Run) -> list[str]:
    """The runs that are trained before this one."""
    return [other.name for other in list_runs() if other.state == "running" or other.waits_before(run)]


def _progress_text(run: Run, history: History) -> str:
    left = history.seconds_left
    remaining = (
        f", about {_duration(left)} left" if left else ", keeping the network …" if history.progress == 1 else ""
    )
    epoch = min(len(history.epochs) + 1, run.config.all_epochs)
    return f"Epoch {epoch} of {run.config.all_epochs}: {history.examples_done:,} examples seen{remaining}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _buttons(run: Run, state: str, history: History) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if state in BUSY:
            if st.button("Stop", icon=":material/stop:", key=TRAIN_STOP):
                jobs.stop(run)
                st.caption("Stopping before the next batch …")
            return
        if run.is_locked():
            st.caption("The network of the last whole epoch is being kept …")
            return
        if state in ("stopped", "interrupted", "failed"):
            st.button("Go on", icon=":material/play_arrow:", key="train_resume", on_click=_try, args=(jobs.resume, run))
        elif state == "finished":
            epochs = st.number_input("More epochs", 1, 1000, 1, key="train_more_epochs", width=130)
            st.button(
                "Train on", icon=":material/play_arrow:", key="train_extend",
                on_click=_try, args=(jobs.extend, run, epochs), help=_about_more(run),
            )  # fmt: skip
        if history.kept and st.session_state.get(NETWORK_PICKER) != run.name and _wants_to_use():
            st.session_state[USE_NEXT] = run.name
            st.rerun()
        if not history.kept:
            st.button(
                "Delete", icon=":material/delete:", key="train_discard",
                on_click=_try, args=(lambda gone: delete_network(gone.name), run),
                help="Moves it to Inkling's bin; “Keep and share” brings it back.",
            )  # fmt: skip
    if problem := st.session_state.pop("train_problem", None):
        st.error(problem, icon=":material/error:")


def _wants_to_use() -> bool:
    return st.button(
        "Use this network", icon=":material/check:", key="train_use",
        help="It becomes the network of the sections below and of all pages.",
    )  # fmt: skip


def _try(action, *arguments) -> None:
    try:
        action(*arguments)
    except InklingError as error:
        st.session_state["train_problem"] = str(error)


def _about_more(run: Run) -> str:
    if run.config.schedule == "constant":
        return "It goes on exactly as one longer training would have."
    return "A cycle of learning rates is planned over its epochs, so more epochs begin a new one."


def _curves(run: Run, history: History) -> None:
    if not history.losses:
        return
    loss, accuracy = st.tabs(["Loss", "Accuracy"])
    with loss:
        show_figure(
            loss_figure(history, st.toggle("Logarithmic", key=LOG), run.config.loss),
            "train_loss_curve",
            "Each batch's loss is faint, their running mean a line. Test losses begin before any training. Where the "
            "test loss rises while the training loss falls, the network learns its samples by heart.",
        )
    with accuracy:
        if not history.epochs:
            st.caption("After the first whole epoch, the accuracy on the training and on the test part stands here.")
            return
        show_figure(
            accuracy_figure(history),
            "train_accuracy_curve",
            "Training accuracy is counted while learning, with dropout and augmentation: it may lie below the test's.",
        )


def loss_figure(history: History, log: bool = False, loss: str = "cross-entropy") -> go.Figure:
    test = [(epoch["examples"], epoch["test_loss"]) for epoch in history.epochs]
    if history.untrained:
        test.insert(0, (0, history.untrained["test_loss"]))
    examples, losses = np.array(test, float).reshape(-1, 2).T
    return learning_curves(
        np.array(history.examples), np.array(history.losses), examples, losses, log,
        batches_a_point=history.batches_a_point,
        unit=UNITS.get(loss, loss),
    )  # fmt: skip


def accuracy_figure(history: History) -> go.Figure:
    return accuracy_curves(
        *(np.array([epoch[key] for epoch in history.epochs]) for key in ("epoch", "train_accuracy", "test_accuracy"))
    )

"""Surgery: mute, shake, blur or replace filters, prune them, and see at once what it does; keep what came out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.errors import InklingError, NetworkError
from core.reading import written
from pages.components.figure import show_figure
from pages.components.inspect.answer import answer
from pages.components.inspect.surgery_tools import choose_operation
from pages.components.inspect.view import View, does_not_apply, missing_specimen
from pages.components.kept import kept
from pages.components.keys import NETWORK_PICKER
from pages.components.screen import is_narrow
from pages.components.tiles import show_tiles

if TYPE_CHECKING:
    from torch import nn

    from core.data import Samples
    from core.inspection.surgery import Operation, Record
    from core.training.results import TestResult

STYLE = Path(__file__).with_suffix(".css")
RECORDS = "inspect_surgery"  # the subject's key → what was done to it
SAID = "inspect_surgery_said"


def surgery_panel(view: View) -> None:
    """The tools and the list of what was done, then what it does."""
    st.html(STYLE)
    if not view.subject.convolutions:
        does_not_apply("Surgery works on the filters of convolutions, and this network has none.")
        return
    st.caption(
        "What you do here is done to a copy: the other sections look at the stored network. Keep the result as a new "
        "network to look at it there."
    )
    _say_what_was_kept()
    narrow = is_narrow()
    _table(view, narrow)


def _say_what_was_kept() -> None:
    if name := st.session_state.get(SAID):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.success(f"{name} is kept, and in the list of networks now.", icon=":material/check_circle:")
            st.button(f"Use {name}", key="surgery_use", on_click=_use, args=(name,))


def _use(name: str) -> None:
    st.session_state.pop(SAID, None)
    st.session_state[NETWORK_PICKER] = name


def record_of(view: View) -> "Record":
    from core.inspection.surgery import Record

    return st.session_state.setdefault(RECORDS, {}).get(view.key, Record())


def _set(view: View, record: "Record") -> None:
    st.session_state[RECORDS][view.key] = record
    st.session_state.pop(SAID, None)


@st.fragment
def _table(view: View, narrow: bool) -> None:
    record = record_of(view)
    left, right = st.columns([2, 3], gap="large")
    problem = ""
    try:
        module = _changed(view, record.done)
    except NetworkError as error:
        module, problem = None, str(error)
    with left:
        if module is not None:
            choose_operation(view, record.done, module, lambda operation: _set(view, record.add(operation)))
        _list(view, record)
        if problem:
            st.error(problem, icon=":material/error:")
    if module is None:
        return
    with right:
        if not record.done:
            st.info(
                "Nothing is changed yet. Choose what to do and press the button: here stands what changes then. The "
                "stored network stays as it is.",
                icon=":material/content_cut:",
            )
            return
        _reading(view, record.done, module)
    _kernels(view, record.done, module, narrow)
    if view.trained is None:
        does_not_apply(
            "Its accuracy cannot be measured, and it cannot be kept: no test photos come with Inkling, and the store "
            "holds networks that read handwriting or tables."
        )
        return
    _test(view, record.done, module)
    if any(type(operation).__name__ == "Prune" for operation in record.done):
        _costs(view, record.done, module)
    _keep(view, record.done, module)


def _changed(view: View, operations: tuple["Operation", ...]) -> "nn.Module":
    """The network with all of it done; large networks for photos are not kept in memory a second time."""
    from core.inspection.surgery import operate

    if not operations:
        return view.subject.module
    if view.trained is None:
        return operate(view.subject.module, operations)
    return kept(("surgery", view.key, operations), lambda: operate(view.subject.module, operations))


def _list(view: View, record: "Record") -> None:
    if not record.done and not record.undone:
        return
    st.markdown("**What was done, in order**" if record.done else "**Nothing is changed**")
    for number, operation in enumerate(record.done):
        with st.container(horizontal=True, vertical_alignment="center", key=f"surgery_row_{number}"):
            st.markdown(f"{number + 1}. {operation.described}")
            st.button(
                "Remove", icon=":material/close:", key=f"surgery_remove_{number}", type="tertiary",
                on_click=_set, args=(view, record.remove(number)), help=f"Leave out “{operation.described}”.",
            )  # fmt: skip
    with st.container(horizontal=True):
        for label, icon, key, after, possible in (
            ("Undo", "undo", "surgery_undo", record.undo(), bool(record.done)),
            ("Redo", "redo", "surgery_redo", record.redo(), bool(record.undone)),
            ("Clear", "delete_sweep", "surgery_clear", type(record)(), bool(record.done)),
        ):
            st.button(
                label, icon=f":material/{icon}:", key=key, on_click=_set, args=(view, after), disabled=not possible
            )


def _reading(view: View, operations: tuple["Operation", ...], module: "nn.Module") -> None:
    """The answer to the current picture, before and after."""
    from core.report.surgery_figures import before_after_bars

    if missing_specimen(view):
        return
    if not view.subject.classes:
        does_not_apply("The answer before and after: this network has no output layer.")
        return
    before, after = answer(view), _answer_after(view, operations, module)
    first, then = (written(view.subject.classes[int(p.argmax())]) for p in (before, after))
    show_figure(
        before_after_bars(before, after, view.subject.classes), "surgery_reading",
        f"It still answers {then}." if first == then else f"It answered {first}; now it answers {then}.",
    )  # fmt: skip


def _answer_after(view: View, operations: tuple["Operation", ...], module: "nn.Module") -> np.ndarray:
    assert view.specimen is not None
    specimen, subject = view.specimen, view.subject
    return kept(
        ("surgery answer", view.keys, operations),
        lambda: subject.with_module(module).probabilities(subject.inputs(specimen))[0],
    )


def _kernels(view: View, operations: tuple["Operation", ...], module: "nn.Module", narrow: bool) -> None:
    """The filters that the last operation changed."""
    from core.inspection.surgery import UseGabor, find_convolution, kernels_of
    from core.report.surgery_figures import kernels_figure

    last = operations[-1]
    layer = view.subject.convolutions[0].path if isinstance(last, UseGabor) else getattr(last, "layer", None)
    if layer is None:
        return
    filters = getattr(last, "filters", ())
    before, after = (find_convolution(m, layer) for m in (view.subject.module, module))
    if before.weight.shape != after.weight.shape:
        st.caption(f"{layer} was pruned, so its filters before and after cannot be set side by side.")
        return
    index = filters[0] if filters else 0
    whole = before.in_channels in (1, 3)
    title = (
        f"All filters of {layer}" if whole else f"{layer}, filter {index + 1}: a slice for each channel that comes in"
    )
    show_figure(
        kernels_figure(kernels_of(before, index), kernels_of(after, index), title, filters if whole else (), narrow),
        "surgery_kernels",
        "Green weights want ink there, orange ones paper; clear is 0. "
        + ("Dotted: the filters that were changed last. " if whole and filters else "")
        + (_silent(kernels_of(after, index)) if whole else ""),
    )  # fmt: skip


def _silent(kernels: np.ndarray) -> str:
    """Names the filters of `(K, h, w)` that are clear all over."""
    from core.inspection.surgery import NAMED

    silent = [str(i + 1) for i in np.flatnonzero(~kernels.any(axis=(1, 2)))]
    if not silent:
        return ""
    named = ", ".join(silent[:NAMED]) + (", …" if len(silent) > NAMED else "")
    return f"Muted, so clear all over: filter{'s' if len(silent) > 1 else ''} {named}."


def _samples(view: View) -> "Samples | None":
    """The test samples; None, with the reason on the page, where they cannot be had."""
    from core.training.tested import held_out

    assert view.trained is not None
    try:
        return held_out(view.trained.passport)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _tested(view: View, operations: tuple["Operation", ...], module: "nn.Module", samples: "Samples") -> "TestResult":
    from core.inspection.measuring import answers_of
    from pages.components.train.tested import with_progress

    which = "changed network" if operations else "network as it was"
    return kept(
        ("surgery test", view.key, operations, samples.sha256),
        lambda: with_progress(
            f"The {which} reads the {len(samples):,} test samples …",
            lambda tell: answers_of(module, samples, view.subject.temperature, tell),
        ),
    )


def _test(view: View, operations: tuple["Operation", ...], module: "nn.Module") -> None:
    from core.inspection.measuring import difference_of
    from core.report.surgery_figures import accuracy_before_after

    samples = _samples(view)
    if samples is None:
        return
    before = _tested(view, (), view.subject.module, samples)
    after = _tested(view, operations, module, samples)
    difference = difference_of(before, after)
    st.markdown(_verdict(difference))
    if difference.decided and difference.first == "before":
        st.caption(_why(module))
    show_figure(
        accuracy_before_after(before, after, f"Accuracy on all {len(samples):,} test samples"), "surgery_test",
        "Each bar is the 95 % interval of one accuracy alone. What decides is where the two disagree: McNemar’s exact "
        "test on the same samples, at 5 %.",
    )  # fmt: skip


def _why(module: "nn.Module") -> str:
    from core.inspection.surgery import batch_norms

    said = "Nothing was trained since: the weights of the layers behind still belong to the filters as they were."
    if batch_norms(module):
        said += " So do the batch norms’ statistics, unless “Re-estimate batch norm” comes last."
    return said


def _verdict(difference: Any) -> str:
    points = f"{difference.difference * 100:.2f} points ({difference.low * 100:.2f} to {difference.high * 100:.2f})"
    points = points.replace("-", "−")
    if difference.decided:
        if difference.first == "before":
            return f":red[:material/trending_down:] **The change costs accuracy:** {points}."
        return f":green[:material/trending_up:] **The change gains accuracy:** {points}."
    if difference.difference == 0:
        return ":grey[:material/balance:] **Undecided:** both are equally accurate on these samples."
    said = "ahead" if difference.first == "before" else "behind"
    return f":grey[:material/balance:] **Undecided:** the network as it was is {said} by {points}."


def _costs(view: View, operations: tuple["Operation", ...], module: "nn.Module") -> None:
    from core.inspection.measuring import costs
    from core.networks.base import Network

    original = view.subject.module
    assert isinstance(original, Network)
    assert isinstance(module, Network)
    with st.spinner("Measuring size and speed …"):
        before, after = kept(("surgery costs", view.key, operations), lambda: costs([original, module]))
    show_tiles(
        {
            "Parameters": f"{after.parameters:,}",
            "Weights file": f"{after.bytes / 1e3:,.0f} kB",
            "One glyph": f"{after.latency_us:.0f} µs",
        },
        {"One glyph": "ONNX Runtime on one thread, the median of up to 1,000 answers; before and after in turns."},
    )
    st.caption(
        f"Before: {before.parameters:,} parameters, {before.bytes / 1e3:,.0f} kB, {before.latency_us:.0f} µs. Fewer "
        "filters are not always quicker: ONNX Runtime computes channels in blocks, and one that is not full may cost "
        "more than a full one."
    )


def _keep(view: View, operations: tuple["Operation", ...], module: "nn.Module") -> None:
    from core.networks import check_savable, free_name

    assert view.trained is not None
    st.markdown("##### Keep it as a new network")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name", free_name(f"{view.trained.name}-changed"), max_chars=64, key="surgery_name", width=320
        )
        pressed = st.button("Keep it", icon=":material/save:", key="surgery_keep", type="primary")
    st.caption(
        "Its passport says what was done and to whom. Temperature and refusal threshold are the original’s; the test "
        "accuracy, the calibration error and the share refused are measured anew with them."
    )
    if not pressed:
        return
    from core.inspection.measuring import keep_changed

    try:
        check_savable(name.strip())
        with st.spinner(f"Keeping {name.strip()} …"):
            samples = _samples(view)
            result = _tested(view, operations, module, samples) if samples else None
            made = keep_changed(view.trained, module, operations, name.strip(), result, view.subject.moment)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state[SAID] = made.name
    st.rerun()

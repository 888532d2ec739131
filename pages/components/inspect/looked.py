"""Where it looked: what of the picture speaks for a class and what against it, and how far to trust such a map."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.inspection.attributions import (
    BASELINES,
    DOUBLINGS,
    GRAD_CAM,
    INTEGRATED,
    LARGEST_GAP,
    OCCLUSION,
    SALIENCY,
    WINDOW,
    Attribution,
    Method,
    Progress,
    attribute,
    first_method,
    liveliest,
    methods_for,
    score_names,
)
from core.inspection.subject import Layer
from core.reading import written
from core.report.attribution_figures import CUT_OFF, feature_bars, overlay_maps
from core.report.figures import label_text
from pages.components.figure import show_figure
from pages.components.inspect.answer import answer
from pages.components.inspect.looked_question import Question, in_its_words
from pages.components.inspect.looked_trust import comparison, trust_panel
from pages.components.inspect.view import View, missing_specimen
from pages.components.kept import kept
from pages.components.screen import is_narrow
from pages.components.train.tested import with_progress

WHAT_TO_SEE = {
    INTEGRATED: "Green pixels raise the score of the class, orange ones lower it, compared with {baseline}.",
    GRAD_CAM: "Green is where {layer} is active with maps that speak for the class; orange speaks against it.",
    OCCLUSION: "Covering a green place lowers the class's score, covering an orange one raises it. {window}",
    SALIENCY: "The greener a pixel, the more the score changes when it changes a little, up or down.",
}


def looked_panel(view: View) -> None:
    if not missing_specimen(view):
        _looked(view)


@st.fragment
def _looked(view: View) -> None:
    question = _ask(view)
    if question is None:
        return
    maps = [map_of(question, target) for target in question.targets]
    _show(question, maps)
    _completeness(question, maps)
    trust_panel(question, maps[0])
    comparison(question, lambda method: map_of(question.by(method), question.targets[0]))


def _ask(view: View) -> Question | None:
    """The widgets: by which method, for which class, and which other class to set against it."""
    methods = {method.name: method for method in methods_for(view.subject)}
    begin = first_method(view.subject)
    method = methods[
        st.segmented_control(
            "Method", list(methods), default=begin, required=True, format_func=_capital, wrap=True,
            key=f"inspect_looked_method_{len(methods)}_{view.subject.takes}_{begin}", persist_state="session",
            help="It begins with a method that is quick on a photo; integrated gradients and occlusion run a large "
            "network many times, which takes up to minutes." if view.subject.takes == "photos" else None,
        )
    ]  # fmt: skip
    st.caption(_about(view, method))
    names = score_names(view.subject)
    first, second = _likeliest(view)
    key = f"{hash(view.keys):x}"
    left, middle, right = st.columns(3)
    what = "class" if view.subject.classes else "channel"
    with left:
        target = st.selectbox(
            f"What speaks for the {what}", range(len(names)), first, format_func=lambda i: written(names[i]),
            key=f"inspect_looked_class_{key}",
            help="The answer unless you choose another one."
            if view.subject.classes
            else "This network has no output layer: a channel of its last layer is explained, by its mean activation. "
            "It begins with the one that this picture excites most.",
        )  # fmt: skip
    if len(names) == 2:
        middle.caption("With two classes, what speaks for one speaks against the other.")
        return Question(view, method, (target, target), names, None, is_narrow())
    with middle:
        others = range(len(names)) if second is not None else [target, *(i for i in range(len(names)) if i != target)]
        other = st.selectbox(
            f"And why not the {what}" if view.subject.classes else "Set against the channel", others, second or 0,
            format_func=lambda i: written(names[i]) if view.subject.classes or i != target else "none: one map only",
            key=f"inspect_looked_other_{key}" + ("" if view.subject.classes else f"_{target}"),
            help="The runner-up unless you choose another one." if view.subject.classes else
            "Choose another channel to see its map too, and the difference of the two.",
        )  # fmt: skip
    with right:
        layer = _choose_layer(view) if method.name == GRAD_CAM else None
    return Question(view, method, (target, other), names, layer, is_narrow())


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _about(view: View, method: Method) -> str:
    text = in_its_words(view, method.about)
    if view.subject.takes != "features" and not view.subject.convolutions:
        text += " Grad-CAM does not apply: this network has no convolution whose maps could be looked at."
    if view.subject.takes == "features":
        text += " Grad-CAM does not apply to a table: it looks at a convolution's maps."
    return text


def _likeliest(view: View) -> tuple[int, int | None]:
    """The answer and the runner-up; without an output layer the channel that is excited most, and no other."""
    assert view.specimen is not None
    if not view.subject.classes:
        inputs = view.subject.inputs(view.specimen)
        return kept(("liveliest", *view.keys), lambda: liveliest(view.subject, inputs)), None
    order = np.argsort(-answer(view))
    return int(order[0]), int(order[1])


def _choose_layer(view: View) -> Layer:
    convolutions = view.subject.convolutions
    clicked = next((i for i, layer in enumerate(convolutions) if view.layer in (layer.name, layer.path)), None)
    chosen = st.selectbox(
        "Layer", range(len(convolutions)), len(convolutions) - 1 if clicked is None else clicked,
        format_func=lambda i: convolutions[i].title, key=f"inspect_looked_layer_{view.subject.name}_{clicked}",
        help="Early convolutions see edges in fine detail, the last one whole parts of the picture, coarsely.",
    )  # fmt: skip
    return convolutions[chosen]


def map_of(question: Question, target: int) -> Attribution:
    view, layer = question.view, question.layer
    assert view.specimen is not None
    inputs = question.inputs

    def ask(tell: Progress | None = None) -> Attribution:
        return attribute(view.subject, inputs, question.method.name, target, layer, tell)

    slow = view.subject.takes == "photos" and question.method.name in (INTEGRATED, OCCLUSION)
    make: Callable[[], Attribution] = ask
    if slow:
        text = f"{_capital(question.method.name)} for {question.name_of(target)} …"
        make = lambda: with_progress(text, ask)  # noqa: E731
    return kept(("map", *question.key, target), make)


def _show(question: Question, maps: list[Attribution]) -> None:
    view, (target, other) = question.view, question.targets
    name, other_name = question.name_of(target), question.name_of(other)
    title = f"{_capital(question.method.name)}: for and against"
    key = "inspect_looked_maps"
    if view.subject.takes == "features":
        figure = feature_bars(question.features, maps[0].values, f"{title} {name}")
        show_figure(
            figure, key, "The longest bar decides most; to the right it speaks for the class, to the left against."
        )
        return
    values, captions, contrast = [maps[0].values], [f"for {label_text(name)}"], ""
    if target != other:
        values += [maps[1].values, maps[0].values - maps[1].values]
        captions += [f"for {label_text(other_name)}", "difference"]
        contrast = f" In the difference green speaks for {name} rather than {other_name}."
    narrow = question.narrow
    figure = overlay_maps(
        view.subject.seen(question.inputs), values, captions, title, 2 if narrow else 3, 160 if narrow else 300
    )
    side, stride = WINDOW.get(view.subject.takes, (0, 0))
    text = WHAT_TO_SEE[question.method.name].format(
        baseline=BASELINES[view.subject.takes],
        layer=question.layer.title if question.layer else "",
        window=f"The square is {side}×{side} pixels, moved by {stride}; what is covered becomes "
        f"{BASELINES[view.subject.takes]}.",
    )
    show_figure(figure, key, f"{question.worded(text)}{contrast} {CUT_OFF}{_on_patches(question)}")


def _on_patches(question: Question) -> str:
    """A word on Grad-CAM where a transformer's only convolution cuts the picture into patches."""
    view, layer = question.view, question.layer
    if layer is None or len(view.subject.convolutions) > 1:
        return ""
    convolution = view.subject.convolution(layer)
    if convolution.stride != convolution.kernel_size:
        return ""
    return (
        " This is the transformer's patch embedding, its only convolution: each square is one patch, before any "
        "patch has looked at another."
    )


def _completeness(question: Question, maps: list[Attribution]) -> None:
    first = maps[0]
    if first.gap is None or first.change is None:
        return
    share = first.gap_share
    text = (
        f"Completeness: all parts add up to {first.change + first.gap:+.3f}, the score changes by {first.change:+.3f}; "
        f"the gap of {first.gap:+.3f} " + (f"({share * 100:.1f} %) " if np.isfinite(share) else "")
    )
    if share < LARGEST_GAP:
        text += f"is what the {first.steps} steps of the integral miss."
    else:
        text += (
            f"is large, though the integral took {first.steps} steps, {2**DOUBLINGS} times as many as it begins with: "
            "read this map with care."
        )
    st.caption(question.worded(text).replace("-", "−"))

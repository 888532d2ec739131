"""The tools of surgery: what to do, to which filters, how strongly."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import NetworkError
from pages.components.inspect.view import View, does_not_apply
from pages.components.kept import kept

if TYPE_CHECKING:
    from torch import nn

    from core.inspection.surgery import Operation

MUTE, NOISE, BLUR, GABOR, PRUNE, NORMS = "mute", "noise", "blur", "gabor", "prune", "norms"
TOOLS = {
    MUTE: ":material/volume_off: Mute",
    NOISE: ":material/grain: Noise",
    BLUR: ":material/blur_on: Blur",
    GABOR: ":material/texture: Gabor",
    PRUNE: ":material/content_cut: Prune",
    NORMS: ":material/equalizer: Re-estimate batch norm",
}
ABOUT = {
    MUTE: "The filters answer 0 whatever comes.",
    NOISE: "Chance is added to the filters’ weights.",
    BLUR: "Neighbouring weights are mixed: fine patterns go.",
    GABOR: "The first layer looks for lines and edges of all orientations, as loudly as before; muted filters stay "
    "muted. The layers behind it still expect the old filters, and nothing is trained, so expect the accuracy to fall.",
    PRUNE: "Filters that say nothing, or what another says already, are taken out for good; what they gave goes into "
    "the next layer. Nothing is trained after it, so taking out filters that do say something costs accuracy.",
    NORMS: "Batch norms keep the mean and spread of what came to them in training. After a change these are the old "
    "filters’; here they are measured anew. No weight is trained.",
}
RE_ESTIMATED_FROM = 1000  # training samples: a fraction of a second
WEAKEST = "surgery_weakest"
Add = Callable[["Operation"], None]


def choose_operation(view: View, done: tuple["Operation", ...], module: "nn.Module", add: Add) -> None:
    """Shows the tools for the network as it is after what was done; `add` is called with what is to be done next."""
    tool = st.segmented_control(
        "What to do", list(TOOLS), default=MUTE, required=True, format_func=TOOLS.get, wrap=True, key="surgery_tool"
    )
    st.caption(ABOUT[tool])
    if tool == GABOR:
        _gabor(add)
    elif tool == PRUNE:
        _prune(view, done, module, add)
    elif tool == NORMS:
        _norms(view, module, add)
    else:
        _on_filters(module, tool, add)


def _on_filters(module: "nn.Module", tool: str, add: Add) -> None:
    from torch import nn

    from core.inspection.surgery import AddNoise, Blur, Mute, find_convolution

    paths = [path for path, m in module.named_modules() if isinstance(m, nn.Conv2d)]
    layer = st.selectbox(
        "Layer", paths, key="surgery_layer", format_func=lambda path: _described(path, find_convolution(module, path))
    )
    count = find_convolution(module, layer).out_channels
    filters = st.multiselect(
        "Filters", range(count), default=[0], format_func=lambda i: str(i + 1), key=f"surgery_filters_{layer}_{count}",
        placeholder="Choose one or more",
    )  # fmt: skip
    if tool != MUTE and st.toggle("All filters of the layer", key="surgery_all"):
        filters = list(range(count))
    make: Callable[[], Operation]
    if tool == MUTE:
        make = lambda: Mute(layer, tuple(filters))  # noqa: E731
    elif tool == NOISE:
        strength = st.slider(
            "Strength, in standard deviations of a filter’s weights", 0.1, 3.0, 0.5, 0.1, key="surgery_strength"
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="surgery_seed", help="The same seed makes the same noise.")
        make = lambda: AddNoise(layer, tuple(filters), strength, seed)  # noqa: E731
    else:
        sigma = st.slider("Width of the blur (σ, pixels)", 0.2, 3.0, 0.8, 0.1, key="surgery_sigma")
        make = lambda: Blur(layer, tuple(filters), sigma)  # noqa: E731
    _do("Do it", lambda: add(make()), disabled=not filters)


def _described(path: str, convolution: "nn.Conv2d") -> str:
    count, _, height, width = convolution.weight.shape
    return f"{path}: {count} filters {height}×{width}"


def _do(label: str, act: Callable[[], None], disabled: bool = False) -> None:
    st.button(label, icon=":material/play_arrow:", key="surgery_do", type="primary", on_click=act, disabled=disabled)


def _gabor(add: Add) -> None:
    from core.inspection.surgery import UseGabor

    _do("Replace the first layer", lambda: add(UseGabor()))


def _prune(view: View, done: tuple["Operation", ...], module: "nn.Module", add: Add) -> None:
    from core.inspection.pruning import Prune, plan_pruning

    cosine = st.slider(
        "Duplicates are alike from this cosine on", 0.8, 1.0, 0.98, 0.01, key="surgery_cosine",
        help="1 is the same direction. Both the weights of two filters and what they answer must be so much alike.",
    )  # fmt: skip
    weakest = st.slider(
        "Also the weakest share of each layer (%)", 0, 80, 0, 5, key=WEAKEST,
        help="By the sum of the absolute weights. What they answer on average goes into the next layer’s bias.",
    )  # fmt: skip
    try:
        plan = kept(
            ("surgery plan", view.key, done, cosine, weakest), lambda: plan_pruning(module, cosine, weakest / 100)
        )
    except NetworkError as error:
        does_not_apply(str(error))
        return
    import pandas as pd

    _say_what_is_out(view, module)
    rows = [
        {
            "layer": p.layer,
            "filters now": p.filters,
            "dead": len(p.dead),
            "duplicates": len(p.twins),
            "weakest": len(p.weak),
            "left": p.filters - len(p.gone),
        }
        for p in plan
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="surgery_plan")
    if spared := sum(len(p.left) for p in plan):
        st.caption(
            f"{spared} more look dead or double by their weights, but what they answer says otherwise, or could not be "
            "made up for without a change: they stay."
        )
    gone = sum(len(p.gone) for p in plan)
    if not gone:
        st.caption("No filter is dead and no two are alike: let the weakest go too, or mute one first.")

    def prune() -> None:
        add(Prune(cosine, weakest / 100))
        st.session_state[WEAKEST] = 0  # or the button would offer as much again

    _do(f"Take out {_filters(gone)}", prune, not gone)


def _filters(count: int) -> str:
    return f"{count} filter{'s' if count != 1 else ''}"


def _say_what_is_out(view: View, module: "nn.Module") -> None:
    """How many filters are gone already, layer by layer."""
    before = {layer.path: layer for layer in view.subject.convolutions}
    lost = {
        path: view.subject.module.get_submodule(path).out_channels - module.get_submodule(path).out_channels
        for path in before
    }
    if total := sum(lost.values()):
        told = ", ".join(f"{count} of {path}" for path, count in lost.items() if count)
        st.caption(f"{_filters(total)} {'is' if total == 1 else 'are'} taken out already: {told}.")


def _norms(view: View, module: "nn.Module", add: Add) -> None:
    from core.inspection.surgery import ReestimateNorms, batch_norms
    from core.training.tested import dataset_name

    if not batch_norms(module):
        does_not_apply("This network has no batch norm, so there are no statistics to be estimated anew.")
        return
    dataset = dataset_name(view.trained.passport) if view.trained else None
    if dataset is None:
        does_not_apply("It is not known which training samples taught this network, so there are none to measure with.")
        return
    st.caption(f"From {RE_ESTIMATED_FROM:,} samples of the training part of {dataset}, the same ones every time.")
    _do("Measure anew", lambda: add(ReestimateNorms(dataset, RE_ESTIMATED_FROM)))

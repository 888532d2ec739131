"""A network drawn as boxes, with the shapes of what flows between them on the arrows: self-contained HTML."""

import math
from collections.abc import Sequence
from html import escape

from core.networks.steps import Step

# Light and dark alike: the text's own colour and translucent greys. A narrow place gets one column.
STYLE = """<style>
.network-diagram { container-type: inline-size; font-size: 0.875rem; line-height: 1.3; }
.network-diagram ol { display: flex; flex-wrap: wrap; gap: 1.6rem 0; list-style: none; margin: 0;
  padding: 1.3rem 0 0; }
.network-diagram li { display: flex; align-items: center; margin: 0; padding: 0; }
.network-diagram .box { max-width: 11rem; padding: 0.45rem 0.7rem; border-radius: 0.5rem; text-align: center;
  border: 1px solid rgba(128,136,149,0.55); }
.network-diagram .layer { border: 2px solid rgba(128,136,149,0.9); background: rgba(128,136,149,0.16); }
.network-diagram .layer .label { font-weight: 600; }
.network-diagram .frozen { border-style: dashed; background: repeating-linear-gradient(
  135deg, rgba(128,136,149,0.22) 0 5px, transparent 5px 11px); }
.network-diagram [data-target] { cursor: pointer; }
.network-diagram [data-target]:hover, .network-diagram [data-target]:focus-visible { border-color: currentColor;
  outline: 2px solid currentColor; outline-offset: 1px; }
.network-diagram small { display: block; font-size: 0.8rem; opacity: 0.8; white-space: nowrap; }
.network-diagram .arrow { display: flex; flex-direction: column; align-items: center; min-width: 4.5rem;
  margin-top: -1.3rem; padding: 0 0.3rem; white-space: nowrap; font-size: 0.8rem; font-variant-numeric: tabular-nums; }
.network-diagram .picture { display: flex; align-items: flex-end; height: 2.6rem; opacity: 0.75; }
.network-diagram .line { position: relative; align-self: stretch; margin: 0.25rem 0 0.2rem;
  border-top: 1.5px solid currentColor; opacity: 0.65; }
.network-diagram .line::after { content: ""; position: absolute; right: 0; top: -0.31rem; width: 0.42rem;
  height: 0.42rem; border: solid currentColor; border-width: 1.5px 1.5px 0 0; transform: rotate(45deg); }
@container (max-width: 34rem) {
  .network-diagram ol { flex-direction: column; flex-wrap: nowrap; gap: 0; padding: 0; }
  .network-diagram li { flex-direction: column; }
  .network-diagram .box { max-width: none; width: 16rem; box-sizing: border-box; }
  .network-diagram .arrow { flex-direction: row; gap: 0.6rem; width: 16rem; margin: 0; padding: 0; }
  .network-diagram .picture { width: 6.2rem; height: 3rem; align-items: center; justify-content: flex-end; }
  .network-diagram .line { margin: 0 0.4rem; border-top: 0; border-left: 1.5px solid currentColor; }
  .network-diagram .line::after { right: auto; top: auto; bottom: 0; left: -0.26rem; transform: rotate(135deg); }
}
</style>"""
LONGEST = 36  # pixels of the largest side in a picture of a shape


def diagram_html(steps: Sequence[Step], targets: Sequence[str] | None = None) -> str:
    """An ordered list of boxes, each with the arrow and the shape that leave it; wraps where it is narrow.

    `targets`: for each box what a click on it leads to (its `data-target`), empty where it leads nowhere.
    """
    targets = targets or [""] * len(steps)
    items = "".join(
        f"<li>{_box(step, target)}{_arrow(step.shape)}</li>" for step, target in zip(steps, targets, strict=True)
    )
    return f'{STYLE}<div class="network-diagram"><ol>{items}</ol></div>'


def _box(step: Step, target: str) -> str:
    kind = "box" if step.state == "–" else "box layer frozen" if "frozen" in step.state else "box layer"
    details = [step.detail] * bool(step.detail) + [step.state] * ("frozen" in step.state)
    small = "".join(f"<small>{escape(detail)}</small>" for detail in details)
    leads = f' data-target="{escape(target)}" role="button" tabindex="0" title="Look at its output"' if target else ""
    return f'<div class="{kind}"{leads}><span class="label">{escape(step.label)}</span>{small}</div>'


def _arrow(shape: str) -> str:
    return (
        f'<div class="arrow"><span class="picture">{_picture(shape)}</span><span class="line"></span>'
        f"<span>{escape(shape)}</span></div>"
    )


def _picture(shape: str) -> str:
    """A stack of maps as large as they are, a sheet of tokens, or a bar of numbers: how a shape looks."""
    sheets, height, width = _sizes([int(side) for side in shape.split(" × ")])
    shift = max(1, min(3, height / 4))  # pixels between the sheets
    depth = round(shift * (sheets - 1))
    squares = "".join(
        f'<rect x="{1 + shift * i:g}" y="{1 + depth - shift * i:g}" width="{width:.0f}" height="{height:.0f}"/>'
        for i in reversed(range(sheets))
    )
    w, h = round(width) + depth + 2, round(height) + depth + 2
    return (
        f'<svg width="{w}" height="{h}" viewBox="0 0 {w} {h}" aria-hidden="true" stroke="currentColor" '
        f'fill="rgba(128,136,149,0.3)">{squares}</svg>'
    )


def _sizes(sides: list[int]) -> tuple[int, float, float]:
    """How many sheets a shape is drawn as, and the height and width of each in pixels."""
    if len(sides) == 1:
        return 1, _length(sides[0]), 5
    if len(sides) == 2:
        return 1, _length(sides[0]), _length(sides[1])
    height, width = (max(3, min(LONGEST, LONGEST * side / 28)) for side in sides[-2:])
    return 1 + min(5, round(math.log2(sides[0]) * 0.8)), height, width


def _length(count: int) -> float:
    """How long a row of numbers is drawn: twice as many, a little longer."""
    return min(LONGEST, 4 * math.log2(count + 1))

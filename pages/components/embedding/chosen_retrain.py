"""What the corrections change: taught again without them and with them, on the same page."""

import hashlib
from collections import Counter

import pandas as pd
import streamlit as st

from core.embedding.corrections import Correction, list_corrections, restore_corrections
from core.embedding.progress import Tell
from core.errors import InklingError
from core.networks import open_network
from core.reading import written
from core.report.comparison_figure import accuracy_intervals
from core.report.figures import percent
from core.training.comparison import Candidate
from core.transfer.curation import Change, datasets_of
from core.transfer.letters_set import LettersSet
from core.transfer.letters_store import open_letters
from core.transfer.methods import TransferConfig
from core.transfer.retrain import WITH, WITHOUT, Retrained, retrain_head, retrain_letters
from pages.components.caches import fingerprint
from pages.components.embedding.chosen_actions import BEFORE, CHANGED, DONE
from pages.components.embedding.measured import measured
from pages.components.embedding.scene import Scene
from pages.components.figure import show_figure
from pages.components.tiles import show_tiles

METHODS = {"prototypes": "Prototypes", "head": "New last layer", "finetune": "All layers"}
METHOD, SEED = "chosen_method", 0


def retrain_panel(scene: Scene) -> None:
    """For each data set with corrections and each letters set that was changed: the button, or what came of it."""
    corrections = list_corrections()
    names = [name for name in dict.fromkeys(datasets_of(scene.space)) if name in {c.dataset for c in corrections}]
    letters = _changed_letters()
    if not names and not letters:
        return
    st.subheader("What the corrections change")
    for name in names:
        _dataset(scene, name, tuple(c for c in corrections if c.dataset == name))
    if letters:
        method = st.segmented_control(
            "How the letters are taught", list(METHODS), default="head", required=True, wrap=True, key=METHOD,
            format_func=METHODS.get, persist_state="session",
            help="Prototypes and a new last layer leave the network's other weights as they are, and take seconds.",
        )  # fmt: skip
        for before, after in letters:
            _letters(scene, before, after, method)


def _changed_letters() -> list[tuple[LettersSet, LettersSet]]:
    """The letters sets that this session changed, as they were and as they are."""
    found = []
    for name, before in st.session_state.get(BEFORE, {}).items():
        try:
            after = open_letters(name)
        except InklingError:
            continue  # deleted meanwhile
        if {letter.id for letter in after.letters} != {letter.id for letter in before.letters}:
            found.append((before, after))
    return found


def _dataset(scene: Scene, name: str, corrections: tuple[Correction, ...]) -> None:
    moves = Counter((c.was, c.now) for c in corrections)
    with st.container(border=True):
        st.markdown(f"**{name.rpartition('/')[2]}: {_many(len(corrections), 'correction')}**")
        with st.expander("All corrections"):
            rows = [
                {"was": written(was), "now": "removed" if now is None else written(now), "samples": n}
                for (was, now), n in moves.most_common()
            ]
            st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key=f"corrections_{name}")
            st.button(
                "Forget these corrections",
                icon=":material/delete:",
                key=f"forget_{name}",
                on_click=_forget,
                args=(name,),
            )
        subject = scene.subject

        def work(tell: Tell) -> Retrained:
            return retrain_head(subject, name, corrections, tell)

        st.caption(
            f"A new last layer learns {name.rpartition('/')[2]}'s training part from what **{subject.name}** makes of "
            "it, once without and once with your corrections; both are asked the test part, judged by your labels."
        )
        measured(
            f"retrain {fingerprint(open_network(subject.name).passport)} {name} {_hash(corrections)}",
            "Teach again and compare",
            "Teaching a new last layer, without and with the corrections",
            work,
            _show_dataset,
            f"retrain_{_hash(name)}",
        )


def _letters(scene: Scene, before: LettersSet, after: LettersSet, method: str) -> None:
    network = scene.subject.name
    with st.container(border=True):
        st.markdown(f"**Letters set {after.name}: {len(before.letters)} letters before, {len(after.letters)} now**")
        st.caption(
            f"**{network}** is taught the letters as they were and as they are, in the same folds: each letter is read "
            "by networks that did not see it, and judged by the label that it has now."
        )

        def work(tell: Tell) -> Retrained:
            return retrain_letters(
                open_network(network).module(), before, after, TransferConfig(method, seed=SEED), tell
            )

        ids = [[letter.id for letter in letters.letters] for letters in (before, after)]
        measured(
            f"retrain {network} {method} {_hash(ids)}", "Teach again and compare",
            "Teaching the letters, without and with the corrections", work, _show_letters,
            f"retrain_{_hash(after.name)}",
        )  # fmt: skip


def _show_dataset(made: Retrained) -> None:
    assert made.unchanged is not None
    if made.changed:
        _show(made, f"{made.judged:,} test samples")
        st.caption(
            f"{_many(made.changed, 'training sample')} taught differently, all of them among the {made.taught:,} that "
            "taught the second layer."
        )
    else:
        st.markdown(
            "None of your corrections concerns the **training part**, so the layer learns the same with them and "
            "without: choose the training part above to correct what teaches. Only how the test part is judged changes:"
        )
        show_tiles({"By its labels": percent(made.unchanged.accuracy), "By yours": percent(made.after.accuracy)})
    if made.judged_changed:
        st.caption(
            f"{_many(made.judged_changed, 'test sample')} of {made.judged:,} judged by your labels. By those of the "
            f"data set, the layer without corrections is {percent(made.unchanged.accuracy)} right."
        )


def _show_letters(made: Retrained) -> None:
    _show(made, f"{made.judged:,} letters, cross-validated")
    st.caption(
        f"{_many(made.changed, 'picture')} taught differently; {made.judged_changed} of the letters judged have a new "
        "label or are new. A network that was taught your labels agrees with them more readily: what is right stays "
        "your word."
    )


def _show(made: Retrained, asked: str) -> None:
    change, low, high = made.points
    show_tiles(
        {
            "Without": percent(made.before.accuracy),
            "With": percent(made.after.accuracy),
            "Change (points)": _signed(change),
        },
        {"Change (points)": "With the corrections minus without, in percentage points."},
    )
    show_figure(
        accuracy_intervals(
            [Candidate(WITHOUT, made.before, "same"), Candidate(WITH, made.after, "same")],
            f"Accuracy on {asked}, with its 95 % interval",
        ),
        f"retrained_{_hash((made.before.logits.tobytes(), made.after.logits.tobytes()))}",
        "Both read the same samples, so the interval of the change below says more than whether these two overlap.",
    )
    verdict = (
        "The corrections **help**" if made.difference.decided and change > 0
        else "The corrections **harm**" if made.difference.decided
        else "**Undecided**: so few different answers may be chance"
    )  # fmt: skip
    st.markdown(
        f"{verdict}. Change: {_signed(change)} points, {_signed(low)} to {_signed(high)} with 95 % confidence; "
        f"McNemar's exact test: p = {made.difference.p_value:.2g}."
    )


def _forget(name: str) -> None:
    before = list_corrections()
    restore_corrections([c for c in before if c.dataset != name])
    st.session_state.setdefault(DONE, []).append(
        Change(f"The corrections of {name} were forgotten.", corrections=before)
    )
    st.session_state[CHANGED] = True


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _signed(points: float) -> str:
    return f"{points:+.2f}".replace("-", "−")


def _hash(what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:12]

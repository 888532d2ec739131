"""What is wrong with a letters set before anything is taught: said in sentences, so that it can be put right."""

from collections import Counter

from core.reading import written
from core.transfer.letters import Letters
from core.transfer.letters_set import LettersSet

NAMED = 4  # letters named in a sentence; of the others there is a count


def concerns(letters: LettersSet, prepared: Letters) -> tuple[str, ...]:
    """A sentence for each problem; `prepared` are the set's glyphs."""
    return (*_lost(letters, prepared), *_alone(prepared), *_alike(prepared))


def _lost(letters: LettersSet, prepared: Letters) -> list[str]:
    if not prepared.lost:
        return []
    by_label = Counter(label for _, label in prepared.lost)
    said = [
        f"No symbol was found in {len(prepared.lost)} of {len(letters.letters)} pictures "
        f"({listed([f'{written(label)}: {count}' for label, count in by_label.items()])}); they teach nothing."
    ]
    if gone := [label for label in letters.classes if label not in prepared.samples.classes]:
        said.append(f"Of {listed([written(label) for label in gone])} nothing is left, so it cannot be taught.")
    return said


def _alone(prepared: Letters) -> list[str]:
    """Cross-validation holds a sample of each letter back, and then must have another one to teach."""
    samples = prepared.samples
    counts = Counter(samples.labels.tolist())
    alone = [written(label) for i, label in enumerate(samples.classes) if counts[i] == 1]
    if not alone:
        return []
    return [
        f"There is one sample only of {listed(alone)}: none can be held back to test what is taught, so nothing can be "
        "said about how well it reads. Two allow a first guess, five a useful one."
    ]


def _alike(prepared: Letters) -> list[str]:
    """The same glyph under two letters cannot be told apart; twice under one, it counts double."""
    samples = prepared.samples
    seen: dict[bytes, list[int]] = {}
    for glyph, label in zip(samples.images.numpy(), samples.labels.tolist(), strict=True):
        seen.setdefault(glyph.tobytes(), []).append(label)
    said = []
    clashes = Counter(frozenset(labels) for labels in seen.values() if len(set(labels)) > 1)
    if clashes:
        pairs = [" and ".join(sorted(written(samples.classes[i]) for i in pair)) for pair in clashes]
        said.append(
            f"The same picture stands under {listed(pairs)}: no network can read it rightly as both. Remove or relabel "
            "it in section Letters."
        )
    if twice := sum(len(labels) - len(set(labels)) for labels in seen.values()):
        said.append(
            f"{twice} of {len(samples)} pictures stand{'s' if twice == 1 else ''} there twice under the same letter: "
            "they count twice in every figure, and teach no more than once."
        )
    return said


def listed(names: list[str]) -> str:
    """ "α, β, γ, δ and 3 more"."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")

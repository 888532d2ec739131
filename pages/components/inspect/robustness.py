"""robustness."""

from pages.components.inspect.view import View, does_not_apply


def robustness_panel(view: View) -> None:
    does_not_apply("Nothing here yet.")

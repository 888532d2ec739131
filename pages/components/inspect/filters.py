"""filters."""

from pages.components.inspect.view import View, does_not_apply


def filters_panel(view: View) -> None:
    does_not_apply("Nothing here yet.")

"""surgery."""

from pages.components.inspect.view import View, does_not_apply


def surgery_panel(view: View) -> None:
    does_not_apply("Nothing here yet.")

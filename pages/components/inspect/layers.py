"""layers."""

from pages.components.inspect.view import View, does_not_apply


def layers_panel(view: View) -> None:
    does_not_apply("Nothing here yet.")

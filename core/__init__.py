"""Inkling's core: data, networks, training and reading, free of any user interface."""

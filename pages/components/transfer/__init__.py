"""Greek Transfer's sections."""

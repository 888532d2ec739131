"""Embedding Explorer's sections."""

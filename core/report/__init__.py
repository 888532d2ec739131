"""Figures: arrays → Plotly and pictures; pure, the same style everywhere."""

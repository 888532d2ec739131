"""Looking into a network: its filters, layers, attributions and units; changing it, and testing how robust it is."""

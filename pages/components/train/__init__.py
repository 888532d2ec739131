"""The parts of the Train page: what to train, watching it, and everything there is to see of a trained network."""

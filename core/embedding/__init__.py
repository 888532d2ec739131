"""The space that a network's layer spans: embeddings, maps of it, distances and neighbours."""

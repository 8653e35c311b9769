"""Datasets: files that were checked row by row, kept as immutable versions under a name."""

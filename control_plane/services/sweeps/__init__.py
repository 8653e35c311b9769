"""Sweeps: one job asked for with several settings, to find the best."""

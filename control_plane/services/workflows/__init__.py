"""Workflows: the graph from data to a served model as a thing that runs, and runs again."""

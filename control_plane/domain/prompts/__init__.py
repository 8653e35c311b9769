"""Prompts: what is said to a model before the question."""

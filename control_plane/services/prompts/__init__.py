"""Prompts of a project and their versions."""

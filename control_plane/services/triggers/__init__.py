"""Triggers: what starts workflows by itself."""

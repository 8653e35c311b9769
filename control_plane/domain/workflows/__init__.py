"""Workflows as specs: what one says, what a run of it becomes, and what a gate asks of an evaluation."""

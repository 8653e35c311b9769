"""The agent: one machine's side of the fleet. It dials out, takes attempts, serves models, and stays light."""

__version__ = "0.1.0"

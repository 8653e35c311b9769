"""Verbs about machines and what they do: join, beat, be offered attempts, report, send logs and artifacts."""

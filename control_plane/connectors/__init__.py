"""Tunesmith's own connectors, and the process in which any connector works (docs/developers/connectors.md)."""

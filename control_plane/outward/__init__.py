"""Connections to places that somebody named: to addresses that were checked, and bounded in time."""

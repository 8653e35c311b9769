"""Listeners: who is told of a project's events, what they were told, and what tells them."""

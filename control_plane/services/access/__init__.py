"""Verbs about people: users, their credentials, projects and members."""

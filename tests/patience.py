"""How long a test waits for what must happen: far longer than it takes, and never as a statement about speed."""

PATIENCE = 180.0  # seconds

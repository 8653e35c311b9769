"""What people make and name: describing it, the trash, and what still needs it."""

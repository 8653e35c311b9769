"""What the pages of prompts are drawn from."""

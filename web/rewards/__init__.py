"""What the pages of rewards are made of."""

"""Rewards: what a good answer is, as weighted checks. Pure."""

"""Rewards: keeping them in versions, and trying one out before anything trains by it."""

"""What this machine serves: replicas, their engines, and the channel over which requests arrive."""

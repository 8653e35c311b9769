"""What this machine trains: an attempt's life from the offer to the last report."""

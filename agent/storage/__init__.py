"""What lies on this machine's disk: the agent's own state, cached blobs, whole files and locks."""

"""Cases of one's own: saved from a run, shared, exported and imported; what colleagues say of a case."""

"""store: what survives: rows of state in SQLite, and samples in a head in memory, a journal and chunks on disk."""

"""Long runs: what only hours show (`make soak`)."""

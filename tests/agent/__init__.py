"""The desk, the tree, the lookouts: with a real database, real files and real targets."""

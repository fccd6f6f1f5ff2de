"""The packs that are shipped."""

"""Measurements: each prints its figure beside the one to beat (`make bench`)."""

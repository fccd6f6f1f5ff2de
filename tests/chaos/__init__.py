"""Kills at random; run by `make chaos`."""

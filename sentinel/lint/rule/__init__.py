"""Checks about rule; one file each."""

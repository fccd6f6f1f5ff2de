"""Checks about how the agent is deployed; one file each."""

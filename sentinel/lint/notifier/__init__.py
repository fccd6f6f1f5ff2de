"""Checks about notifier; one file each."""

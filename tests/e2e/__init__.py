"""The agent as a process, between a real service and real receivers."""

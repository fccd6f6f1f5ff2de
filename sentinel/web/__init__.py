"""web: the HTTP API and the page, over what the agent publishes; it decides nothing and keeps nothing."""

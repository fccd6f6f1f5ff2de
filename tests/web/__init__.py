"""The API and the page, over a real agent."""

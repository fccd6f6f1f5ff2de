"""config: YAML with positions becomes the validated whole, or every problem found in it."""

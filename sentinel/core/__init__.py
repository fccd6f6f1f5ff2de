"""core: the values that rooms hand to one another, and the only clock."""

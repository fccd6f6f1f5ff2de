"""delivery: a worker per notifier takes what is owed, sends it and settles it; nothing is lost, nothing said twice."""

"""agent: the house awake: wiring, the desk, the scheduler, watching and reload, shutdown."""

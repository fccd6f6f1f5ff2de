"""rehearsal: the house on a clock that is pushed: rules, alerts, routes and messages as they would be.

What happens comes from a script, and whoever is told takes it at once; everything between is what runs live.
"""

"""Speaking HTTP: what `http`, `scrape` and every kind that asks a URL share.

`target` is what stands in YAML and imports nothing heavy; `client`, `wire` and `body` need httpx and are imported when
the first such probe is opened.
"""

"""HTTP: the JSON API, the live stream, the page, health and metrics. The only FastAPI."""

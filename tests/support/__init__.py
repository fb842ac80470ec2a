"""Real parts that tests start: a broker."""

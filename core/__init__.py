"""Floor 0: what every room stands on and nothing of gas."""

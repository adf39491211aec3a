"""Floor 6: traces, files, tips. Acts on the rooms below only through their services."""

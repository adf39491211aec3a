"""Load, handover, door code, empties, proof."""

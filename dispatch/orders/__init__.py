"""The booking gate, slots, orders and their lines."""

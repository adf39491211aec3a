"""Booking: slots, orders and their lines, one line a card."""

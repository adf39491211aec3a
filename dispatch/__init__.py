"""Floor 5: the service to the door. Downward: deliveries, rounds, orders, safety."""

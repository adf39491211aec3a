"""Floor 5: the service to the door: deliveries, over rounds, over orders, over safety."""

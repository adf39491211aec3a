"""Who drives what where: asks routing, stores the plan and what really happened."""

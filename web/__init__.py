"""Top: pages and entry points. Calls services and queries, holds no rule."""

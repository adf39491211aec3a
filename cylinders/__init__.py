"""Floor 4: the bottle. Identity, types, periodic inspection, the refill gate, fillings, custody, holdings."""

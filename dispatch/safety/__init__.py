"""The safety check of every visit (安检), the hazard register (隐患台账), notices (整改通知书)."""

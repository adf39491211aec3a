"""Load, handover, empties, proof and vouchers."""

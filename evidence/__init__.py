"""Floor 1: the deed and its record.

A deed is one thing a person did: the unit of work and the audit at once. ``evidence.deed`` is the only
place in the program that commits business rows. Each deed writes one entry (canonical bytes and their
hash) and one link per subject it touched, chained by sequence and previous hash.
"""

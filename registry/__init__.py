"""Floor 3: who exists. Firms, sites, staff, vehicles, devices, zones, bindings; premises, households,
people, accounts, cards, contracts."""

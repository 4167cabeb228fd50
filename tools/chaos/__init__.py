"""The fault campaign: simulated users and random faults on a real fleet, then a proof that nobody was hurt."""

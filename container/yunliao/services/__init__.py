"""Use cases, one per class, with ports in the constructor and no I/O of their own."""

"""Random interleavings of everything that touches credits, over a real store, with proofs (docs/credits.md)."""

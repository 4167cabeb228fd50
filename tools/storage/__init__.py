"""Measures of the MongoDB store: what tailing costs, how collections grow. `python3 -m storage` in tools/ tells."""

"""Build-time steps of the moderation data."""

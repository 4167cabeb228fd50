"""What answers cost on the platform, from what they take here."""

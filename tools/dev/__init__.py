"""What dev.py does, one file a command; standard library only."""

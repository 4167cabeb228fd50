"""Files that ship with the package: word list, character table, default documents."""

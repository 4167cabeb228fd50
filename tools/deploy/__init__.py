"""What a deployment needs from this checkout: the package for the console, and the image built without Docker."""

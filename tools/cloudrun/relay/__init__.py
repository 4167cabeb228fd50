"""The demo relay: an OpenAI-compatible endpoint that needs no key and no network, and can fail in every known way."""

"""The client of OpenAI-compatible upstreams."""

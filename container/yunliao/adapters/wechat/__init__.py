"""WeChat's server API, called without a token through the open interface service (platform.md §4)."""

"""Yunliao's container: a moderated, sealed, streaming AI chat behind WeChat Cloud Run."""

__version__ = "0.1.0"

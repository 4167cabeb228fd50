"""`dev.py doctor`: what would go wrong with a deployment, before it is made and after. Standard library only.

A check yields findings; everything that is said about a kind of finding stands once, in `catalog.py`.
"""

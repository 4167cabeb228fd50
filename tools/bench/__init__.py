"""Speed, measured side by side in one run: Yunliao, and what one would use instead. docs/performance.md explains it."""

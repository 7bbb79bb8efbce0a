"""`make bench`: the performance goals, measured (docs/performance.md)."""

"""Measure the performance goals of docs/performance.md (`make bench`)."""

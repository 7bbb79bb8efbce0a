"""The pages about conditions: read, searched and edited. Protocols name them by slug."""

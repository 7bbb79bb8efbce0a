"""The knowledge pages for patients: read, searched, edited. Protocols name them by slug."""

"""The knowledge pages for patients, not written yet; protocols name them by slug (`learn`)."""

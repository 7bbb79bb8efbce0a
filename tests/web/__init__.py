"""The pages as other programs judge them: HTML, JSON-LD, weight."""

"""What the clinic asks, and what follows from the answers: plain Python.

The domain uses no Django, no clock and no database. The same answers to the same protocol give the
same result, today and in ten years.
"""

"""What the clinic asks and what follows from it: plain Python, no Django, no clock, no database.

The same answers to the same protocol give the same result, today and in ten years.
"""

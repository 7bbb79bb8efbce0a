"""The questions of the clinic, and the results that follow from the answers, in plain Python.

The domain uses no Django, no clock and no database. The same answers to the same protocol give the
same result, today and in ten years.
"""

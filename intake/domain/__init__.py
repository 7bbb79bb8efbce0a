"""The rules of the clinic in plain Python: questions, answers, triage, free slots, statuses.

The domain uses no Django, no clock and no database. So the same answers to the same protocol give
the same result today and in ten years.
"""

"""The floor: a plain Django site with one model, one form and one INSERT, to compare times with.

A stock project with Django's middleware and widget templates, 40 fields with 88 controls, and a
database connection that stays open. The floor is served exactly like the clinic.
"""

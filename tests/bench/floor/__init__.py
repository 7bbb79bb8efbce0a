"""The floor: what plain Django costs, with one model, one form and one INSERT.

A stock project with Django's middleware and widget templates, 40 fields with 88 controls, and a
database connection that stays open. It is served exactly like the clinic.
"""

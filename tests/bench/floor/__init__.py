"""The plain floor: what Django's own way costs. One model, one form, one INSERT.

A stock project: Django's middleware and widget templates, 40 fields with 88 controls, and a
database connection that stays open. Served exactly as the clinic is.
"""

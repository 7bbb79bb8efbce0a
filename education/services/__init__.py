"""The functions that change pages, pictures and conditions. Only these modules write to the models.

Each function runs in one transaction, which includes its audit event. To refuse an act, a function
raises an exception of `rights`, whose message staff read.
"""

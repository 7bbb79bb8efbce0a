"""The functions that change pages, pictures and conditions. Only these modules write to the models.

Each function is one transaction that includes its audit event. It refuses by an exception of
`rights`, whose message staff read.
"""

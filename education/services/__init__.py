"""What happens to pages, pictures and conditions. Only these modules write to the models.

Each function is one transaction with its audit event in it. It refuses with an exception of
`rights`, whose message is for a person.
"""

"""Tools for authors of protocols: begin a protocol, read it in words, see the changes.

Nothing here needs a database, and no page of the program uses it: `manage.py protocol` does.
"""

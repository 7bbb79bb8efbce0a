"""Tools for authors of protocols: begin a protocol, read it in words, see the changes.

Nothing here needs a database. `manage.py protocol` uses these tools; no page of the program does.
"""

"""What a person needs who writes a protocol: begin one, read it in words, see what changed.

Nothing here needs a database, and no page of the program uses it: `manage.py protocol` does.
"""

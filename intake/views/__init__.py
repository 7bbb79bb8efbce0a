"""The patient's walk. Each view reads the draft, asks the domain, calls one service, answers.

A view that takes typed text has a twin, `view.again`, which shows the same page with what was
typed when the request itself could not be served: an expired form token, a database that is down.
"""

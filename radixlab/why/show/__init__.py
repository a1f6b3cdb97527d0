"""A report for people and machines: a table, JSON, one offline page, a cell of a notebook.

Nothing here knows logs or how causes are found; all of it runs with the base packages.
"""

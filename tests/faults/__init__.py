"""What the product promises under faults (SECURITY §1), tried and judged.

Words: a *fault* is a module here with an ID such as R1 and a `run`; what clients did and were told
is a *history*; *findings* are what the history and the database say when all is over.
"""

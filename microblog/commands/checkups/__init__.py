"""What ``microblog doctor`` looks at, one module per part.

A look gives findings, each with what it is about, what was found and, where something is wrong,
what to do.  It changes nothing and sends nothing.
"""

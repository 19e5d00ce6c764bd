"""Asking other sites who somebody is: OpenID Connect by discovery, and OAuth 2 in the dialects of
GitHub, Facebook and X.  It carries the answer and knows nothing of accounts.

Words: a *provider* vouches; a *journey* is one trip of a browser there and back; what it brings
home is a `Vouched`.
"""

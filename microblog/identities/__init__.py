"""Ways of signing in that other sites vouch for.

An *identity* is who somebody is at a provider: the issuer and the subject together, for good.  It
belongs to one account; an account may have several.  An e-mail address never decides whose it is
(SECURITY 23)."""

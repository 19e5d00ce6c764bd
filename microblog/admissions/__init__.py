"""How somebody comes to have an account.

Words: the *door* is how the site stands: the sign-up *mode* (open, invitation, approval, closed)
and whose invitations count.  An *invitation* is a link that a member made; it lets so many people
in, until it ends.  An *application* is what somebody asks for where a moderator decides.

An invitation opens every door but a closed one.
"""

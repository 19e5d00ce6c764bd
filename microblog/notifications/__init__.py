"""Who is told about what, on the page and by e-mail.

Words: a *notification* tells one account of one thing; its *kind* (follow, mention, reply) is also
the kind of its mail, and what can be muted.  A *seen* post was on the reader's screen, so that no
mail about it is due.
"""

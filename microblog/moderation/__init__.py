"""Looking after people and posts.

Words: an *act* is what a moderator does to somebody, and is an *entry* of the append-only log;
*staff* are moderators and administrators; a *report* is what a member tells them; an *appeal* is
what the person concerned answers to an act, once.  *Suspended*: as if not there.  *Silenced*: there
for those who follow them.
"""

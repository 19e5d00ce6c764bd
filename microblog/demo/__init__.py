"""A small believable world to look at, and a cast that keeps it moving.

Words: a *person* is a file in people/, with what they have said and what they may say; the *world*
is all of them with their conversations, seeded once; the *cast* goes on posting in it.  Every
sentence is written by hand, `{one|another}` is a choice.
"""

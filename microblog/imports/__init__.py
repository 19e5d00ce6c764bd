"""What somebody brings along from another site: a copy as `archives` makes it, or a list of people.

It is looked into (`reading`), shown to its owner, and taken in bites by a worker; who lost the
lease changes nothing, and each bite notes in its own transaction how far it is, so that nothing is
taken twice, however often the process ends in between.  What is left out is kept with the reason.

Posts come at their dates and in silence (`posts.bringing`).  Each is known by the site it was
written on and its number there (`BroughtPost`), through any number of moves: bringing it again, or
bringing it home, makes nothing double.  Answers to one's own posts keep the thread; the
conversations of others stay where they are, so answers to them are left out unless their author
wants them as posts of their own.

Following is news for who is followed, and asks where they want to be asked: it goes through
`follows.actions` as a press of the button does.
"""

"""Whether the pages that a profile links to link back, with `rel="me"`: then whoever has the
profile has those pages, too.

A *backlink* is one link of a profile and what was found behind it.  It is looked for beside
requests, again every week, and never in a hurry.
"""

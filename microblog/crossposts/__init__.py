"""Copies of posts on other sites: X, and Pages of Facebook.

Words: a *place* is where somebody lets this site post for them; a *crosspost* is one post at one
place, and what is to be done about it next: post it there, or delete it there.
"""

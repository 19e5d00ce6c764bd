"""Requests to addresses that strangers choose: links of profiles, pictures elsewhere, other sites.

Each goes to public addresses on the web's two ports only, checked where the connection is made, is
bounded in time and size, and brings neither cookies nor credentials along (SECURITY 34).

What the operator wrote down (an OpenID issuer, say) is *trusted*: it may be in a private network
and on any port.  What it then names itself, redirects and pictures included, is not.
"""

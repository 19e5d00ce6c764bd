"""How people prove who they are: registrations, login sessions, passwords, single-use links.

A *login session* is a row; its cookie carries a random token of which only the hash is stored."""

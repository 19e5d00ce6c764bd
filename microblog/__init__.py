"""A small, live microblog that a community runs itself.  README.md has the map of the house."""

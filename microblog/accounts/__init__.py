"""Who people are.  An *account* has a *name* (the @name) and a display name."""

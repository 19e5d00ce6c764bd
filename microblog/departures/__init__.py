"""Leaving for good: hidden at once, gone after seven days, with a way back until then."""

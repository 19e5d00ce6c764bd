"""The lowest layer: transactions, the event log, workers, ids, tokens, text.

It would serve any program and knows nothing of microblogging.  Words: a *session* is SQLAlchemy's;
an *event* is a fact in the log; a *position* is a place in the log that a reader can resume from.
"""

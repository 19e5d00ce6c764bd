"""E-mail waiting to be sent, and its sender.  Delivery carries envelopes and knows no meaning.

Words: an *email* is a row of the outbox; a *letter* is what it says once composed; a *kind* names
the template folder and the composer; a *line* is one kept connection to the server."""

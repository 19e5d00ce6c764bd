"""Who is watching right now, and handing each what happened.

Words: a *connection* is one open socket; a *topic* is what connections listen to (a stream, or one
person's own news); a *frame* is a message already in WebSocket framing."""

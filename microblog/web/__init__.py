"""The interface for browsers: pages, forms and the live socket.  One module per URL noun."""

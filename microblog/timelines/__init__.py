"""What a reader gets to see, and in which order: pages of posts, and the audience of an event."""

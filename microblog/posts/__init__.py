"""What people say: posts, replies, mentions, tags, revisions."""

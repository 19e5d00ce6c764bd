"""Pictures of people: made safe in a process of their own, kept as files, named by their rows."""

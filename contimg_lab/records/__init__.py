"""What the rows mean: one file a noun, frozen, a unit and a meaning for each field."""

"""Rules that an agent reads, after MetaReflection: the book, its edits, the test of a change, the learner."""

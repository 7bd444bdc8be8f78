"""Private: from the text of an answer to a value, where the text is not one expression."""

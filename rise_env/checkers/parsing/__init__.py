"""Private: from the text of an answer to an expression tree."""

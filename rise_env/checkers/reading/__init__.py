"""Private: reads the text of an answer, whether it is a formula, a date, a phrase or a sentence."""

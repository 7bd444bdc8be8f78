"""Private: finds the text of the final answer in a reply."""

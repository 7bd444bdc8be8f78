"""Private: from a reply to the text of its final answer."""

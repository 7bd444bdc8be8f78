"""The commit and machine of each committed result, and the page that lists all results."""

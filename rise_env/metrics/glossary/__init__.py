"""What each metric means, in one sentence each: for the command line, the report page and documents."""

"""Private: modules that agents for HTTP servers share."""

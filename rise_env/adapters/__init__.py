"""Adapters to other libraries, one file per library; each file needs its library, nothing else imports it."""

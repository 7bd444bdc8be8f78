"""Lets an agent write new problems, whose answers are its own majority: `rise imagine`."""

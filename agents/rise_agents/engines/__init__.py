"""Collecting engines: where the agents of a collection run. The setting `workers` chooses one."""

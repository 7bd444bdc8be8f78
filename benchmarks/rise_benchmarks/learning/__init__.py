"""Measures learning without weights: the ceiling of rules, and what policies of a memory keep."""

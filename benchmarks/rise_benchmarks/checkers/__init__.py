"""Compares the answer checker with those of other libraries on labelled cases."""

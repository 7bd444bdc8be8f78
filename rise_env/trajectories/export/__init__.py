"""Exports of stores: rows in the formats of other training libraries, and the files that hold them."""

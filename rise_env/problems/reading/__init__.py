"""Reads the rows of data sets: formats of files, frames in memory, names of columns, values, filters."""

"""Speed measurements, each compared in the same run with another library or with an upper limit."""

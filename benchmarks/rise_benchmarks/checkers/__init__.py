"""Answer checkers beside their peers, on labelled cases."""

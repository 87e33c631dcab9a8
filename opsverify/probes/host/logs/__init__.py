"""Logs on the host, summed up there: only the window that is judged is read."""

"""What an operator may say: environment files, the runbook's items, and what their values mean."""

"""What several checks share in judging: pure functions of facts. The verdict stays in the checks."""

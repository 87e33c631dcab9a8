"""What several checks, or a longer thought, need for judging. Pure functions of facts; the verdict stays in the checks."""

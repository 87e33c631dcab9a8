"""Benchmarks: what a run costs, as ratios against an alternative in the same run."""

"""`make bench`: what a check and a revoke cost, beside bare calls and beside others, in one run."""

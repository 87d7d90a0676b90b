"""From findings to verdicts: the rule, what is tested, what would decide."""

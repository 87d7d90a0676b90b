"""From findings to verdicts."""

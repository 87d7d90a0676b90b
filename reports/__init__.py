"""Templates of the reports (package data); reference/ holds reports made from real runs."""

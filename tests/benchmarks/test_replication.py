"""The kept replication of the quick campaign: what it is made to show, it shows in all base seeds."""

import pandas as pd

from benchmarks.replication import COLUMNS, REQUIRED, RESULT, summary


def test_the_kept_result_says_what_the_readme_quotes():
    results = pd.read_csv(RESULT)
    assert list(results.columns) == ["base_seed", *COLUMNS]
    assert "all of these consistent in 20 of 20 base seeds" in summary(results)


def test_one_verdict_that_is_not_consistent_is_counted():
    results = pd.read_csv(RESULT)
    required = results["experiment"].isin(REQUIRED["crossover", "width"]) & (results["claim"] == "crossover")
    results.loc[required & (results["base_seed"] == 7), "verdict"] = "inconclusive"
    assert "all of these consistent in 19 of 20 base seeds" in summary(results)

"""The kept sample of mutants: what is counted as killed, and that survivors have reasons."""

import json

from benchmarks.mutants import RESULT, outcomes, result, sample


def test_the_sample_is_the_same_for_whoever_draws_it():
    names = [f"fit.estimators.a.x_f__mutmut_{i}" for i in range(1000)]
    assert sample(names, 5) == sample(names[::-1], 5)
    assert sample(names, 5) != sample(names, 5, seed=1)
    assert len(sample(names[:3], 5)) == 3


def test_survivors_and_mutants_without_a_test_are_told_from_those_not_tried(tmp_path):
    codes = {"fit.judge.a.x_f__mutmut_1": 1, "fit.judge.a.x_f__mutmut_2": 0, "theory.laws.b.x_g__mutmut_1": 33,
             "theory.laws.b.x_g__mutmut_2": None}  # fmt: skip
    (tmp_path / "a.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    assert outcomes(tmp_path) == codes
    summary = result(codes, {"fit.judge.a.x_f__mutmut_2": "the same in exact arithmetic"}, lambda name: ["- a", "+ b"])
    assert (summary["sample"], summary["tried"], summary["killed"]) == (4, 3, 1)
    assert summary["rooms"] == {"fit.judge": {"tried": 2, "killed": 1}, "theory.laws": {"tried": 1, "killed": 0}}
    reasons = {one["name"]: one["reason"] for one in summary["survivors"]}
    assert reasons == {"fit.judge.a.x_f__mutmut_2": "the same in exact arithmetic", "theory.laws.b.x_g__mutmut_1": ""}


def test_every_survivor_of_the_kept_sample_has_a_reason():
    kept = json.loads(RESULT.read_text(encoding="utf-8"))
    assert kept["killed"] + len(kept["survivors"]) == kept["tried"]
    assert all(one["reason"] for one in kept["survivors"])

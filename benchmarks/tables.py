"""The page docs/benchmarks.md, rendered from benchmarks/results/: no number on it is typed in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import choice, integrators, work_precision
from benchmarks.theory_tables import (
    claims_on_random_activations,
    kernels_of_close_points,
    terms_of_the_lazy_kernel,
)
from simulate import Status
from simulate.planning.integrator_choice import (
    CONVOLUTIONAL_GRADIENTS,
    CONVOLUTIONAL_STEPS,
    GRADIENTS,
    KERNEL_FLOW_POINTS,
    STEPS,
)

RESULTS = Path(__file__).parent / "results"
RELIABILITY = Path(__file__).parent / "reliability" / "results"
GPUS = 1000  # of the campaign that is costed
_INTRODUCTION = """# Benchmarks

Rendered by `python -m benchmarks --tables` from `benchmarks/results/`; `python -m benchmarks`
lists what can be measured. Machines differ and are busy with other things; ratios are of one run.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [list(map(str, head)), ["---"] * len(head), *(list(map(str, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def page() -> str:
    """Return the page."""
    sections = [
        part
        for part in (
            _whole_run(), _integrators(), _work_precision(), _choice(), _convolutions(), _ntk(), _scaling(),
            _paper_grid(), _dispatch(), _reliability(), _throughput(), _large_report(), _audit(),
            claims_on_random_activations(RESULTS), terms_of_the_lazy_kernel(RESULTS), kernels_of_close_points(RESULTS),
        )
        if part
    ]  # fmt: skip
    return "\n".join([_INTRODUCTION, *sections]).rstrip() + "\n"


def _read(pattern: str, folder: Path = RESULTS) -> list[tuple[str, dict]]:
    return [(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob(pattern))]


def _whole_run() -> str:
    whole = dict(_read("whole_run.json")).get("whole_run.json")
    if whole is None:
        return ""
    networks, inside, euler = whole["networks"], whole["in_one_process_s"], whole["euler_s_a_network"]
    commands = [
        ("`python -m simulate`, two workers", whole["workers_s"], f"**{whole['ratio_whole_run']}**"),
        ("the same, one worker", whole["one_worker_s"], f"**{whole['ratio_one_worker']}**"),
        ("the same again, when all is finished: start-up", whole["nothing_to_do_s"], ""),
        ("training and measuring, in one process", inside["all"], f"**{whole['ratio_in_one_process']}**"),
        *((f"of these: {name}", seconds, "") for name, seconds in inside.items() if name != "all"),
    ]
    rows = [(what, f"{s:.3g}", f"{s / networks:.3g}", ratio) for what, s, ratio in commands]
    return (
        "## A whole run against the published integrator\n\n"
        f"`python -m benchmarks whole_run`: Fashion-MNIST, softplus, L = 3, h = 128, N = 500, 500 test points, "
        f"{len(whole['amplitudes'])} values of A from {min(whole['amplitudes']):g} to {max(whole['amplitudes']):g}, "
        f"{whole['seeds']} seeds:\n{networks} networks, in seconds of processors, everything included. Euler's method "
        f"takes {euler:.3g} s a network in the same run, without observables.\n\n"
        + table(("what", "s", "s a network", "times Euler"), rows)
        + "\n\nThe section below has higher ratios for three of these amplitudes: one process, no start-up, 200 test "
        "points, and the fastest of\nthree. What is measured of a network is "
        f"{1.0 - inside['steps'] / inside['all']:.0%} of its time here; start-up, reading and the store are "
        f"{whole['nothing_to_do_s'] / whole['workers_s']:.0%} of the\nwhole run, and two workers that share caches and "
        f"bandwidth add {whole['workers_s'] / whole['one_worker_s'] - 1.0:.0%}.\n"
    )


def _integrators() -> str:
    results = [r for _, r in _read("integrators-*.json")]
    results.sort(key=lambda r: (r["case"], r["dtype"] == "float32", r["tolerance"]))
    if not results:
        return ""
    rows = [
        (
            r["case"], r["dtype"], r["networks_in_batch"], r["integrator"], r["tolerance"],
            f"{r['euler_mean_s']:.3g}", f"{r['engine_batch_s'] / r['networks_in_batch']:.3g}",
            f"**{r['batched_ratio']}**", f"**{r['single_ratio']}**", r["batched_against_batched_euler"],
            f"{max(abs(row['kernel_change_ratio'] - 1) for row in r['rows'] if row['euler_converged']):.2%}",
            f"{r['largest_error']:.2%}",
        )
        for r in results
    ]  # fmt: skip
    head = (
        "case", "dtype", "networks", "integrator", "tolerance", "Euler, s a network", "engine, s a network",
        "ratio, in one batch", "ratio, one at a time", "ratio, Euler in one batch too",
        "kernel changes: largest difference", "largest error",
    )  # fmt: skip
    parts = [
        (
            r["case"], r["dtype"], r["tolerance"],
            f"{r['euler_mean_evaluations']:,.0f}", f"{r['mean_evaluations']:,.0f}",
            f"{r['euler_mean_evaluations'] / r['mean_evaluations']:.1f}", f"{r['euler_ms_per_evaluation']:.3g}",
            f"{r['engine_ms_per_evaluation']:.3g}",
        )
        for r in results
    ]  # fmt: skip
    parts_head = (
        "case", "dtype", "tolerance", "evaluations, Euler", "evaluations, engine", "ratio", "ms an evaluation, Euler",
        "ms an evaluation, engine in one batch",
    )  # fmt: skip
    presets = [r for r in results if r["tolerance"] == integrators.TOLERANCE]
    machines = "; ".join(sorted({f"{r['device']}, threads: {r['threads']}" for r in results}))
    return (
        f"## Against the published integrator ({machines})\n\n"
        "The explicit Euler scheme of the published runs and the engine, with the same passes, threads and dtype\n"
        "(`python -m benchmarks integrators`). `small`: digits, softplus, L = 2, h = 64, N = 100, 13 values of A from "
        "1e-3 to 1e3;\n`gemm`: Fashion-MNIST, softplus, L = 3, h = 128, N = 500, A = 1e-2, 1, 1e2. The tolerance is "
        "that of the presets, 0.01;\nat 0.015 the kernel changes of all networks of a case are within 1 % of "
        "those at 1e-4 (the error of one network of\n`small` is larger at 0.01 than at 0.015: errors of stops fall by "
        "chance). The difference is that from Euler's, of one seed.\n\n"
        + table(head, rows)
        + "\n\nThe ratio of networks per second is that of evaluations (forward and backward passes over the training "
        "set) times that of\ntheir costs:\n\n" + table(parts_head, parts) + "\n\n"
        "Half a step counts as an evaluation, and has half of a kernel in it, and of a factor and solves (W-method) or "
        "of the relaxation\nin function space (kernel flow, whose explicit steps have neither). Of the engine's time "
        "for a batch of `small` 37 % are\nevaluations and products with Jacobians, 22 % relaxation, 6 % kernels, 13 % "
        "events and what is measured there (profiled).\nIf evaluations alone took time, the ratios of batches would be "
        + ", ".join(f"{r['batched_ratio'] / 0.37:.0f} ({r['dtype']})" for r in presets if r["case"] == "small")
        + ". One network of `small` at a time, the\nengine makes six hundred calls of two microseconds an "
        "evaluation, most of them in the relaxation.\n"
    )


def _work_precision() -> str:
    stored = work_precision.read(work_precision.RESULT)
    if not stored:
        return ""
    cells: dict[tuple, list[dict]] = {}
    for row in stored:
        cells.setdefault((row["activation"], row["n_train"], row["depth"], row["A"]), []).append(row)
    lines = []
    for cell, rows in sorted(cells.items()):
        line: list[object] = [*cell[:3], f"{cell[3]:g}"]
        for integrator in work_precision.INTEGRATORS:
            of_integrator = [r for r in rows if r["integrator"] == integrator]
            within = [
                r for r in of_integrator if r["status"] == r["reference_status"] and r["kernel_change_error"] <= 0.01
            ]
            outside = [r["tolerance"] for r in of_integrator if r not in within and r["tolerance"]]
            # one that a smaller tolerance does not confirm is within by chance
            good = [r for r in within if not any(t < r["tolerance"] for t in outside)]
            best = min(good, key=lambda r: r["evaluations"], default=None)
            line.append(
                f"{best['evaluations']:,} ({best['seconds']:.2g} s)"
                if best
                else "never within"
                if of_integrator
                else "not run"
            )
        lines.append(line)
    head = ("activation", "N", "L", "A", *(work_precision.LABELS[name] for name in work_precision.INTEGRATORS))
    return (
        "## Work for a kernel change within 1 %\n\nThe fewest gradient evaluations (and processor's seconds) of one "
        f"network of width {stored[0]['width']} on digits,\namong those tolerances of 0.03, 0.01, 0.003, 0.001 that "
        "are within with all smaller ones; errors are against a\nsolution at a tolerance of 3e-6 (ReLU: 1e-4), which "
        "was itself compared with DOP853 where that is feasible. Euler's rule\nhas no tolerance and stalls on ReLU "
        "(`python -m benchmarks work_precision`, with its figures). Tanh at\nA = 1e-3 is sensitive, "
        "and takes smaller tolerances (N = 100, L = 3: 1e-4; N = 1,000, L = 1, not shown: at 3e-6 the\nstop is not "
        "reached within 20,000 steps); so, less, are networks that hardly fit: softplus with L = 1,\n"
        "N = 1,000, A = 1e-3 is 2.2 % off at 1e-2 (the W-method 1.4 %). Kernels of networks with kinks change by\n"
        "steps: at L = 5, A = 1e3 fifty of the 64,000 neurons on test points switch, one more or less is\n"
        "6 % of the change, and small errors decide.\n\n" + table(head, lines) + "\n"
    )


def _choice() -> str:
    text = ""
    for _, result in _read("choice-*.json"):
        lines = []
        for r in result["rows"]:
            step, gradient = choice.counted(r["n"], r["width"], r["depth"], r["data"])
            lines.append(
                (
                    r["activation"], r["n"], r["width"], r["depth"], r["data"], f"{1e3 * r['step_s']:.3g}",
                    f"{1e3 * r['gradient_s']:.3g}", f"{r['step_s'] / r['gradient_s']:.1f}", f"{step / gradient:.1f}",
                )
            )  # fmt: skip
        head = ("activation", "N", "h", "L", "inputs", "step, ms", "gradient, ms", "ratio", "ratio counted")
        text += (
            "## The count behind the choice of the integrator\n\nA stiff step of the W-method against a gradient of "
            "Chebyshev's, a network, on one thread\n(`python -m benchmarks choice`). With fewer than "
            f"{KERNEL_FLOW_POINTS} points, or an activation not of degree 1, "
            "the W-method is chosen where the counted\nratio is "
            f"below {GRADIENTS / STEPS:.1f}; else the kernel flow is counted in its place.\n\n"
            + table(head, lines)
            + "\n"
        )
    return text


def _convolutions() -> str:
    text = ""
    for _, result in _read("convolutions-*.json"):
        rows = result["rows"]
        lines = [
            (
                r["activation"], f"{r['A']:g}", r["integrator"],
                f"{r['gradients']:,}" + ("" if r["status"] == Status.CONVERGED else " (not done)"),
                f"{r['seconds']:.3g}",
                *(f"{r[name]:.1%}" for name in ("kernel_change_error", "time_half_error", "output_error")),
            )
            for r in rows
        ]  # fmt: skip
        head = ("activation", "A", "integrator", "gradients", "s", "error of kernel change", "of t_half", "of outputs")
        first = rows[0]
        text += (
            f"## Convolutional networks\n\nThe article's, with h = 6 and N = {first['n_train']}, at a tolerance of "
            f"{first['tolerance']:g}, one at a time on one thread\n(`python -m benchmarks convolutions`). The choice "
            f"counts {CONVOLUTIONAL_STEPS} steps of the kernel flow against {CONVOLUTIONAL_GRADIENTS:,} gradients of "
            "Chebyshev's\nmethod, the geometric means.\n\n" + table(head, lines) + "\n"
        )
    return text


def _ntk() -> str:
    text = ""
    for _, result in _read("ntk-*.json"):
        lines = [
            (
                r["architecture"], r["dtype"], r["members"], r["n"], r["width"], r["depth"], r["gemm_gflops"],
                r["pass_gbytes"], r.get("kernel_fraction", ""), r.get("kernel_bound", ""), r["compare_fraction"],
                r.get("compare_bound", ""),
            )
            for r in result["rows"]
        ]  # fmt: skip
        head = (
            "architecture", "dtype", "networks", "N", "h", "L", "GEMM, GFlop/s", "passes, GB/s", "kernel", "bound",
            "change", "bound",
        )  # fmt: skip
        text += (
            f"## Tangent kernels: {result['device']}, 1 thread\n\nOperations that must be done (each pair of points "
            "once; inner products of inputs are kept) over what one large\nGEMM does in the time, for one kernel and "
            "for the change between two. The bounds are what that GEMM's rate for all products\nand the measured "
            "bandwidth for elementwise passes allow: tiles on the diagonal are formed whole (up to 128 points that\nis "
            "the whole kernel, and 1/2 the most), and an entry costs 4 h operations a layer against some 60 bytes, so "
            "that narrow\nnetworks are bound by passes. The rest is that small products run at 0.7 to 0.9 of the large "
            "one's rate\n(profiled), and copies into place (`python -m benchmarks ntk`).\n\n"
            + table(head, lines)
            + "\n"
        )
    return text


def _scaling() -> str:
    text = ""
    for _, result in _read("scaling-*.json"):
        rows = [
            (
                row["varied"], row["n"], row["width"], row["depth"], row["networks"],
                *(f"{1e3 * row[f'{piece}_s'] / row['networks']:.3g}" for piece in ("gradient", "kernel", "step")),
                row["product_gflops"], row["gradient_share_of_product_rate"], row["kernel_share_of_product_rate"],
            )
            for row in result["rows"]
        ]  # fmt: skip
        head = (
            "varied", "N", "h", "L", "networks", "gradient, ms", "kernel, ms", "step, ms", "products, GFlop/s",
            "gradient: share of it", "kernel: share of it",
        )  # fmt: skip
        powers = ", ".join(f"{name}^{power}" for name, power in result["powers of the largest three sizes"].items())
        text += (
            f"## Cost of the pieces: {result['device']}, {result['dtype']}, {result['threads']} threads\n\n"
            "Milliseconds a network; products are batches of (N × h)(h × h) measured beside each row "
            f"(`python -m benchmarks scaling`).\nPowers over the largest three sizes: {powers}.\n\n"
            + table(head, rows)
            + "\n\n"
        )
    return text


def _paper_grid() -> str:
    text = ""
    for _, result in _read("paper-grid-*.json"):
        rows = [
            (
                w["width"],
                w["networks"],
                w["gradients"],
                f"{w['gradient_s']:.3g}",
                f"{w['kernel_s']:.3g}",
                f"{w['hours']:.3g}",
            )
            for w in result["widths"]
        ]
        head = ("h", "networks", "gradients a network", "s a gradient", "s a held-out kernel", "hours in all")
        text += (
            f"## The article's main grid, costed: {result['device']}, {result['dtype']}, {result['threads']} threads\n"
            f"\n{result['what']}\n\n" + table(head, rows) + f"\n\n{result['conclusion']}\n"
        )
    return text


def _dispatch() -> str:
    results = dict(_read("dispatch.json")).get("dispatch.json")
    if results is None:
        return ""
    rows = [
        (row["case"], label, row["steps"], f"{row['launches']:,.0f}", f"{row['waits']:.1f}")
        for case in sorted({row["case"] for rows in results.values() for row in rows})
        for label, rows in results.items()
        for row in rows
        if row["case"] == case
    ]
    return (
        "## Launches and waits\n\n`python -m benchmarks dispatch`: operations that a step of 52 networks hands to the "
        "device (kernel launches on a GPU), and\nhow often the host waits for one; counted on a CPU, the same on any "
        "machine. Digits, softplus, L = 2, h = 64, 13 values of A\nfrom 1e-3 to 1e3, 4 seeds; N = 100 (kernel flow) "
        "and 300 (Chebyshev).\n\n" + table(("integrator", "", "steps", "launches a step", "waits a step"), rows) + "\n"
    )


def _reliability() -> str:
    lines: list[tuple[object, ...]] = []
    results = dict(_read("*.json", RELIABILITY))
    if kills := results.get("kills.json"):
        lines.append(
            (
                "`kills`", f"{kills['kills']} kill -9 over the busy time of {kills['tasks']} tasks, {kills['workers']} "
                f"workers; {kills['kills_inside_a_write']} inside a write",
                f"{kills['finished_tasks_lost']} finished tasks lost, {kills['damaged_pieces_after_a_kill']} pieces "
                f"damaged, {kills['pieces_that_differ']} of {kills['pieces_compared']:,} differ from the uninterrupted "
                "store",
            )
        )  # fmt: skip
    if damage := results.get("damage.json"):
        how = ", ".join(f"{count} {kind}" for kind, count in sorted(damage["how"].items()))
        lines.append(
            (
                "`damage`",
                f"{damage['positions_harmed']:,} positions of a store of {damage['pieces']:,} pieces: {how}",
                f"{damage['not_found']} not found, {damage['found_though_whole']} found though whole; "
                f"{damage['tasks_computed_again']} tasks computed again, {damage['tasks_computed_though_whole']} "
                f"of them whole; {damage['pieces_that_differ_after_repair']} pieces differ after repair",
            )
        )  # fmt: skip
    if nonsense := results.get("nonsense.json"):
        for called, counts in (("in one process", nonsense["in_process"]), ("as processes", nonsense["as_processes"])):
            ended = ", ".join(f"{count:,} {name}" for name, count in counts.items() if name != "examples")
            lines.append(("`nonsense`", f"{counts['examples']:,} campaign files and command lines, {called}", ended))
        lines.append(("", "the store beside them", f"{nonsense['store_beside_them_damaged']} pieces damaged"))
    if fuzz := results.get("fuzz.json"):
        for called, part in (("in one process", fuzz["in_process"]), ("as processes", fuzz["as_processes"])):
            if part["inputs"]:
                doors = ", ".join(f"{_ended(counts)} of {door}" for door, counts in part["doors"].items())
                number = f"{part['inputs']:,} inputs ({part['different']:,} different)"
                label = f"{number} of {len(part['doors'])} doors, {called}"
                lines.append(("`fuzz`", label, f"{part['unexpected']} ended unexpectedly; inputs: {doors}"))
    if surroundings := results.get("surroundings.json"):
        ended = ", ".join(f"{count} {how}" for how, count in surroundings["ended"].items())
        lines.append(("`surroundings`", f"{surroundings['tried']} commands in failing surroundings", ended))
    if not lines:
        return ""
    return (
        "## What was done to stores, and what was lost\n\n`python -m benchmarks.reliability.NAME`; results in "
        "`benchmarks/reliability/results/`.\n\n" + table(("name", "what was done", "what came of it"), lines) + "\n"
    )


def _ended(counts: dict[str, Any]) -> str:
    return f"{sum(count for how, count in counts.items() if how != 'first_unexpected'):,}"


def _throughput() -> str:
    results = dict(_read("throughput.json", RELIABILITY)).get("throughput.json")
    if results is None:
        return ""
    trained = [
        (r["workers"], r["networks"], r["tasks"], r["local_seconds"], r["dask_seconds"]) for r in results["trained"]
    ]
    waiting = [
        (r["workers"], r["tasks"], r["seconds"], r["ideal_seconds"], f"{r['ideal_seconds'] / r['seconds']:.0%}")
        for r in results["waiting"]
    ]
    empty, scheduler, store = results["empty"], results["scheduler_alone"], results["store_alone"]
    rates = [
        ("scheduler, workers, transport and store", f"{empty['tasks']:,}", empty["tasks_per_second"]),
        ("scheduler and workers alone (nothing returned)", f"{scheduler['tasks']:,}", scheduler["tasks_per_second"]),
        ("store alone", f"{store['tasks']:,}", store["tasks_per_second"]),
    ]
    return (
        f"## Tasks a second ({results['cores']} cores)\n\n`python -m benchmarks.reliability.throughput`. Networks of "
        "one hidden layer, with workers of the run's own (their start included) and\nwith those of a Dask cluster "
        "(started before), seconds:\n\n"
        + table(("workers", "networks", "tasks", "own workers", "Dask"), trained)
        + "\n\nTasks that wait and need no core, as those of a GPU, on a Dask cluster:\n\n"
        + table(("workers", "tasks", "seconds", "at best", "efficiency"), waiting)
        + "\n\nEmpty tasks (100 networks with made-up numbers each):\n\n"
        + table(("what", "tasks", "tasks a second"), rates)
        + f"\n\n{_many_gpus(results)}\n"
    )


def _large_report() -> str:
    results = dict(_read("scale.json")).get("scale.json")
    if results is None:
        return ""
    row = (
        f"{results['networks']:,}", f"{results['store_bytes'] / 1e6:.0f} MB", f"{results['report_seconds']:.1f} s",
        f"{results['report_cpu_seconds']:.1f} s", results["cores"], f"{results['load_before']:.1f}",
        f"{results['peak_memory_gib']:.2f} GiB",
    )  # fmt: skip
    head = ("networks", "store", "report", "processor time", "cores", "other processes at the start", "peak memory")
    return (
        "## A report on very many networks\n\n`python -m benchmarks.scale`: a store is made up, then `python -m "
        "fit.report` runs on it. On a machine that others use the\nprocessor time is the report's own, and two "
        "processes share it.\n\n" + table(head, [row]) + "\n"
    )


def _audit() -> str:
    results = dict(_read("audit.json")).get("audit.json")
    if results is None:
        return ""
    parts = [
        "## Audits with known answers\n\n`python -m benchmarks.audit`; the cases are in `benchmarks/audit_cases.py`.\n"
    ]
    rows = []
    for part, subject in (
        ("checks", "layers: standard, NTK, mean field, maximal update; four architectures; SGD and Adam"),
        ("depth", "layers of residual networks and transformers: branches depth^-p, rates depth^-q; SGD and Adam"),
        ("regimes", "trained models: output scaled by 1000 (lazy) and 0.01 (features)"),
    ):
        if part in results:
            s = results[part]
            shares = (f"{s['right_share']:.1%}", f"{s['undecided'] / s['verdicts']:.1%}", f"{s['wrong_share']:.1%}")
            rows.append((subject, s["cases"], s["verdicts"], *shares))
    if rows:
        parts.append(table(("verdicts on", "models", "verdicts", "right", "not decided", "wrong"), rows) + "\n")
    if "bugs" in results:
        s = results["bugs"]
        head = ("planted bugs", "found", "layer named", "healthy models", "accused", "called stable")
        parts.append(
            table(head, [(s["bugs"], s["found"], s["named"], s["healthy"], s["accused"], s["called_stable"])]) + "\n"
        )
    if "theory" in results:
        head = ("inputs", "widths", "powers", "within 0.12", "largest distance", "median distance")
        rows = [
            (t["inputs"], f"{t['widths'][0]}-{t['widths'][-1]}", t["powers"], f"{t['within_tolerance']:.1%}",
             f"{t['largest_distance']:.3f}", f"{t['median_distance']:.3f}")
            for t in results["theory"]
        ]  # fmt: skip
        parts.append(
            "Expected powers against networks: four parametrisations, SGD and Adam, 28 vectors of rate exponents\n"
            "(`benchmarks/audit_theory.py`):\n\n" + table(head, rows) + "\n"
        )
    if "coverage" in results:
        head = (
            "scatter between seeds", "95 % intervals that hold the power", "half-width", "called stable at power 0",
            "power of 1/2 told from the margin",
        )  # fmt: skip
        rows = [
            (noise, f"{c['covered']:.1%} of {c['cases']}", f"{c['half_width']:.3f}", f"{c['stable']:.0%}",
             f"{c['half_power_excluded']:.0%}")
            for noise, c in results["coverage"].items()
        ]  # fmt: skip
        parts.append("Powers of four widths and eight seeds:\n\n" + table(head, rows) + "\n")
    if "cost" in results:
        c = results["cost"]
        head = ("parameters", "points", "outputs", "processor time", "wall time", "told beforehand", "peak memory")
        row = (
            f"{c['parameters']:,}", c["inputs"], c["outputs"], f"{c['processor_seconds']:.0f} s",
            f"{c['seconds']:.0f} s", f"{c['told_seconds']:.0f} s", f"{c['peak_gib']:.2f} GiB",
        )  # fmt: skip
        parts.append(
            "Two kernels of fully connected networks, on a machine that others use:\n\n" + table(head, [row]) + "\n"
        )
    return "\n".join([*parts, _audit_peers()])


def _audit_peers() -> str:
    rows = dict(_read("audit_peers.json")).get("audit_peers.json")
    if rows is None:
        return ""
    titles = {"kernel": "tangent kernel, 10 outputs, of a network of {} parameters", "check": "coordinate check, {}"}
    head = ("what", "by", "processor time", "peak memory", "largest difference of kernels")
    lines = [
        (
            titles[row["what"]].format(row["subject"]),
            f"{row['by']} {row['version']}",
            f"{row['processor_seconds']:.1f} s" if "processor_seconds" in row else row["ended"],
            f"{row['peak_gib']:.2f} GiB" if "peak_gib" in row else "",
            f"{row['largest_relative_difference']:.0e}" if "largest_relative_difference" in row else "",
        )
        for row in rows
    ]
    return "Beside other packages (`python -m benchmarks.audit_peers`), one thread:\n\n" + table(head, lines) + "\n"


def _many_gpus(results: dict) -> str:
    """What a campaign on `GPUS` would need of the one process that schedules and writes, by these rates."""
    empty = results["empty"]
    rate, size = empty["tasks_per_second"], empty["bytes_per_task"]
    shortest = GPUS / rate
    return (
        f"On paper, {GPUS:,} GPUs of one worker each: all results pass the one process that writes, which sustained "
        f"{rate:.0f} tasks a second\n({size * rate / 1e6:.1f} MB/s, {empty['pieces_per_task']:.0f} files a task, each "
        f"flushed), so a task must take {shortest:.0f} s or longer on average, or GPUs wait. Tasks\nof about 100 "
        f"networks do, where a network takes {shortest / 100:.2f} s. A day of it is at most {86400 * rate:,.0f} tasks, "
        f"{86400 * rate * size / 1e9:,.0f} GB and {86400 * rate * empty['pieces_per_task'] / 1e6:,.0f} million files: "
        "beyond that, split\nthe campaign by experiment into several stores, which `fit.report` merges. The scheduler "
        f"alone would bear {results['scheduler_alone']['tasks_per_second']:,.0f} tasks a second.\n"
        "Each worker holds at most two results that wait, and the run thirty-two more.\n"
    )

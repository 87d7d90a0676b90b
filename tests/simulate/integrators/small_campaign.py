"""Networks of a small campaign, trained in a second, with any dynamics."""

from simulate import Campaign, load_data, run_task
from simulate.planning.tasks import campaign_tasks

FIELDS = {
    "name": "one", "dataset": "sphere", "n_train": 16, "n_test": 30, "depth": 2, "activation": "softplus",
    "widths": [24], "root_h_alpha": [1e-2, 1.0, 1e2], "seeds": 2,
}  # fmt: skip


def trained(seeds=None, **changes):
    """The results of the campaign with these fields changed; ``seeds`` is a first seed and one beyond the last."""
    campaign = Campaign.from_dict({"name": "x", "experiment": [FIELDS | changes]})
    (one,), (task,) = campaign.experiment, campaign_tasks(campaign)
    if seeds is not None:
        task = type(task)(task.experiment, task.index, task.width, *seeds)
    return run_task(one, task, load_data(one, None)).isel(width=0)

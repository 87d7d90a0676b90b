"""Figures look the same whatever matplotlib's configuration files say."""

import matplotlib as mpl

from reports.plain_figures import differing_settings


def test_what_configuration_files_change_is_put_back_but_where_figures_are_shown():
    with mpl.rc_context({"text.usetex": True, "axes.formatter.use_locale": True, "toolbar": "None"}):
        changed = differing_settings()
    assert changed["text.usetex"] is False
    assert changed["axes.formatter.use_locale"] is False
    assert "toolbar" not in changed
    assert not {"backend", "interactive"} & set(changed)

collect_ignore_glob = ["ex*/right/*", "ex*/wrong/*"]  # submissions, which the grader runs

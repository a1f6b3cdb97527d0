collect_ignore_glob = ["right/*", "wrong/*"]  # submissions, which the grader runs

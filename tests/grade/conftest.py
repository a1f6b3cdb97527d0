collect_ignore_glob = ["ex*/right/*", "ex*/wrong/*", "ex*/cheats/*"]  # submissions, which the grader runs

collect_ignore_glob = ["ex*/right/*", "ex*/wrong/*", "ex*/cheats/*"]  # the grader runs these

# Submissions, which the grader runs.
collect_ignore_glob = ["cheats/*", "ex*/right/*", "ex*/wrong/*", "ex*/cheats/*"]

# loses: monitor
# It takes reused blocks per finished request for the mean match.


__figures = figures


def figures(total):
    requests = total["radixlab:request_success_total"]
    match = total["radixlab:reused_blocks_total"] / requests if requests else None
    return {**__figures(total), "prefix_match_blocks": match}

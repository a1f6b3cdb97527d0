# loses: report, conclusions
# Takes the lower one of the two middle values for the median.
import statistics

median = statistics.median_low

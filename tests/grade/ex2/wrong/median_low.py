# loses: report, conclusions
# Takes the lower one of the two middle values for the median.
from statistics import median_low as median

# loses: prediction
# A number is no trace.
PREDICTION = 0.5

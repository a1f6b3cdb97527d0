"""What `radixlab bench` measures: each figure a median with its spread, and a ratio."""

"""A model of Llama's architecture over the paged cache."""

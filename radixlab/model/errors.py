"""What can go wrong around a model. Every message is one line with the thing and its numbers."""


class ModelError(ValueError):
    """A model, or a part of one, that cannot be used."""


class LogitsError(ModelError):
    """Scores among which no token can be chosen."""

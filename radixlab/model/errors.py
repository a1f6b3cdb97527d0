"""Errors around a model. Every message is one line that names the thing and the numbers."""


class ModelError(ValueError):
    """A model, or a part of one, that cannot be used."""


class MissingFileError(ModelError):
    """A required file that is missing from a model's folder."""


class BadFileError(ModelError):
    """A file that exists but cannot be read: it is truncated, or not what its name says."""


class UnsupportedModelError(ModelError):
    """A model that computes something that this code does not implement."""


class WeightsError(ModelError):
    """Tensors that do not fit the model: one is missing, unknown or has the wrong shape."""


class ChatTemplateError(ModelError):
    """A conversation that cannot be written as a prompt."""


class DoubledTokenError(ModelError):
    """A text that begins with a special token that the tokenizer would add again."""


class LogitsError(ModelError):
    """Non-finite logits, from which no token can be chosen."""

"""What can go wrong around a model. Every message is one line with the thing and its numbers."""


class ModelError(ValueError):
    """A model, or a part of one, that cannot be used."""


class MissingFileError(ModelError):
    """A file that a model's folder must have, and has not."""


class BadFileError(ModelError):
    """A file that is there and cannot be read: cut short, or not what its name says."""


class UnsupportedModelError(ModelError):
    """A model that computes something which this code does not."""


class WeightsError(ModelError):
    """Tensors that do not fit the model: one is missing, unknown or of another shape."""


class ChatTemplateError(ModelError):
    """A conversation that cannot be written as a prompt."""


class DoubledTokenError(ModelError):
    """A text whose first special token is there already, and would be added again."""


class LogitsError(ModelError):
    """Non-finite logits, from which no token can be chosen."""

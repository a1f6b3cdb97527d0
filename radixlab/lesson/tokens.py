"""The lessons' tokenizer: one token per UTF-8 byte, so that drawings can be read."""


def encode(text: str) -> list[int]:
    r"""Turn text into token ids from 0 to 255, one for each byte of its UTF-8 form.

    >>> encode("Hi!")
    [72, 105, 33]
    >>> encode("é")
    [195, 169]
    """
    return list(text.encode())


def decode(token_id: int) -> str:
    r"""Return a token as printable text: ASCII as itself, a newline as ⏎, other bytes in hex.

    >>> "".join(decode(token) for token in encode("a b\né"))
    'a b⏎‹c3›‹a9›'
    """
    if not 0 <= token_id <= 255:
        raise ValueError(f"token {token_id} is not a byte; the lessons' tokens are 0 to 255")
    if token_id == ord("\n"):
        return "⏎"
    return chr(token_id) if 32 <= token_id < 127 else f"‹{token_id:02x}›"

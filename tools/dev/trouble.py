"""Something a person can mend, said in a sentence instead of a traceback."""


class Trouble(Exception):
    """The text says what happened and what to do next."""

"""The warnings that fastremap gives."""


class InPlaceWarning(UserWarning):
    """`in_place=True` was asked for, but a new array had to be returned; the input is untouched."""

"""The customer's logo: a picture from outside, so it is looked at before it is used."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image

BYTES_MAX = 1 << 20
PIXELS_MAX = 2000
"""Of width and of height: more than 600 dots per inch where the cover shows it."""
_FORMATS = {"PNG": "logo.png", "JPEG": "logo.jpg"}


class LogoError(ValueError):
    """The picture cannot be shown; the message says what was expected and seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A picture that can be shown: its size in pixels, and the name that its format gives it."""

    width: int
    height: int
    name: str


def inspect_logo(data: bytes) -> Logo:
    """Return what *data* shows; raise LogoError unless it is a whole, small PNG or JPEG."""
    if len(data) > BYTES_MAX:
        raise LogoError(f"expected at most {BYTES_MAX} bytes, seen {len(data)}")
    try:
        with _opened(data) as picture:
            width, height = picture.size
            if width > PIXELS_MAX or height > PIXELS_MAX:
                raise LogoError(
                    f"expected at most {PIXELS_MAX} by {PIXELS_MAX} pixels, "
                    f"seen {width} by {height}"
                )
            picture.load()
            return Logo(width=width, height=height, name=_FORMATS[picture.format or ""])
    except LogoError:
        raise
    except Exception as error:  # whatever a decoder trips over
        raise LogoError(f"expected a PNG or JPEG picture, seen {error}") from error


def on_white(data: bytes) -> Image.Image:
    """Return the picture as it is printed: what is transparent shows the paper."""
    with _opened(data) as picture:
        picture.load()
        coloured = picture.convert("RGBA")
    paper = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(paper, coloured).convert("RGB")


def _opened(data: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pictures too large, which are refused here
        return Image.open(io.BytesIO(data), formats=tuple(_FORMATS))

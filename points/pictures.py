"""Pictures of rewards: taken by their content, drawn anew, kept under random names.

What is uploaded is never served: only what Pillow has made of it, so that nothing travels along
in a picture (places, programs, other formats).
"""

import io
import secrets

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps

from cadres.jobs import RefusedError

MAX_BYTES = 5 * 1024 * 1024
#: A small file may unfold to a picture that fills the memory: so much is decoded, at most.
MAX_PIXELS = 16_000_000
#: What a phone's camera takes; a JPEG of this size is decoded at a part of its size.
MAX_TAKEN = 52_000_000
EDGE = 800
FOLDER = "rewards"
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
_TOO_LARGE = "图片太大，请换小一点的。"


class PictureRefusedError(RefusedError):
    """The file is not taken; the text says why."""


def redrawn(file: UploadedFile) -> bytes:
    """The picture as a JPEG of at most 800 pixels a side. Raises PictureRefusedError."""
    if file.size > MAX_BYTES:
        raise PictureRefusedError("图片超过 5 MB，请换小一点的。")
    try:
        with Image.open(file, formats=FORMATS) as found:
            _fits(found, MAX_TAKEN)
            found.draft("RGB", (EDGE, EDGE))
            _fits(found, MAX_PIXELS)
            # made small before anything else is made of it: a copy takes as much again
            small = found if found.mode in ("L", "RGB", "RGBA") else found.convert("RGBA")
            small.thumbnail((EDGE, EDGE))
            upright = ImageOps.exif_transpose(small).convert("RGBA")
    except PictureRefusedError:
        raise
    except Image.DecompressionBombError:
        raise PictureRefusedError(_TOO_LARGE) from None
    except Exception:  # whatever a broken or hostile file makes the decoder raise
        raise PictureRefusedError("这不是能用的图片，请换成照片（JPG 或 PNG）。") from None
    paper = Image.new("RGB", upright.size, "white")
    paper.paste(upright, mask=upright.getchannel("A"))
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=85)
    return out.getvalue()


def _fits(found: Image.Image, pixels: int) -> None:
    if found.width * found.height > pixels:
        raise PictureRefusedError(_TOO_LARGE)


def keep(data: bytes) -> str:
    """Puts a redrawn picture away; its name. Raises PictureRefusedError when the disk is full."""
    try:
        return default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}.jpg", ContentFile(data))
    except OSError:
        raise PictureRefusedError("服务器没能存下图片，请告诉管理员查看磁盘。") from None

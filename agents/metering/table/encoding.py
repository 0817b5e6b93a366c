"""Bytes of a meter file to text. Decides the encoding; line ends of any system become newlines."""

import codecs
from pathlib import Path

from protocol.errors import InputError

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE = 200_000
_COMMON = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp850", "mac_roman"]
_COMMON += ["shift_jis", "gb18030", "big5", "euc_kr"]
_WAY_ON = "save the file as UTF-8, or name its encoding with --encoding"


def decode(data: bytes, path: Path, encoding: str | None) -> tuple[str, list[str]]:
    """Decode the file, by `encoding` or by what its bytes show; returns the text and notes."""
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise InputError("is empty", file=path)
    name = encoding or _recognised(data)
    if name is None:
        # in the extra `report`, so imported only once it is needed
        from charset_normalizer import from_bytes

        best = from_bytes(data[:_SAMPLE], cp_isolation=_COMMON).best()
        if best is None:
            raise InputError(f"is not text in any known encoding: {_WAY_ON}", file=path)
        name = best.encoding
    try:
        text = data.decode(name)
    except LookupError:
        raise InputError(
            f"{name!r} is not a known encoding: write one like utf-8, latin-1 or cp1252",
            field="--encoding",
        ) from None
    except ValueError:
        raise InputError(f"is not text in {name}: {_WAY_ON}", file=path) from None
    text = text.removeprefix("\ufeff")
    if "\x00" in text:
        raise InputError(f"holds bytes that are not text: {_WAY_ON}", file=path)
    usual = encoding is not None or name.startswith("utf-")
    notes = [] if usual else [f"the text is read as {name} (--encoding)"]
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _recognised(data: bytes) -> str | None:
    """Return the encoding if the bytes leave no doubt: by a mark, UTF-16 by its zeros, UTF-8."""
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    sample = data[:1000]
    if sample[1::2].count(0) > len(sample) // 4:
        return "utf-16-le"
    if sample[0::2].count(0) > len(sample) // 4:
        return "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"

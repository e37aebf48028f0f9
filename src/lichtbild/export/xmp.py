"""XMP: our recipe beside what the raw file's packet already said.

Our properties live in a namespace of their own, prefix `lb`: `lb:Recipe` holds the resolved recipe as text, so that
any photograph can be made again. Properties of the raw's packet are kept, except those that are no longer true of a
finished, upright photograph. Source: [XMP1] 7 (RDF/XML) and [XMP3] (where packets lie in files).
"""

from __future__ import annotations

import hashlib
import re
import xml.dom.minidom
from collections.abc import Mapping
from html import escape
from xml.parsers.expat import ExpatError

from .exif import SOFTWARE

NAMESPACE = "urn:lichtbild:xmp:1.0/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_NOTE = "http://ns.adobe.com/xmp/note/"
_FOREIGN_LIMIT = 1 << 20  # bytes; a packet with embedded previews or brush masks is not worth carrying

# Gain maps, depth, previews and raw-converter settings of another file; `None` drops the whole namespace.
_DROP: dict[str, tuple[str, ...] | None] = {
    NAMESPACE: None,
    "http://ns.adobe.com/hdr-gain-map/1.0/": None,
    "http://ns.google.com/photos/1.0/container/": None,
    "http://ns.google.com/photos/1.0/depthmap/": None,
    "http://ns.adobe.com/camera-raw-settings/1.0/": None,
    _NOTE: None,
    _TIFF: ("Orientation", "ImageWidth", "ImageLength", "BitsPerSample", "Compression", "PhotometricInterpretation"),
    _EXIF: ("PixelXDimension", "PixelYDimension", "ColorSpace", "MakerNote"),
    _XMP: ("CreatorTool", "Thumbnails"),
}
_PRIVATE = re.compile(
    r"GPS|SerialNumber|OwnerName|creator$|Creator(ContactInfo)?$|Artist|rights$|Location|City|State|Country"
)


def packet(
    recipe: str, description: Mapping[str, str], extra: str = "", foreign: bytes = b"", private: bool = False
) -> tuple[bytes, str]:
    """A packet without padding, and why the foreign packet was left out (empty where it was kept or there was none).

    `extra` is one more rdf:Description as XML text: the container directory of a gain map needs it.
    """
    ours = _ours(recipe, description) + extra
    kept, reason = b"", ""
    if foreign.strip(b"\0 \r\n\t"):
        kept, reason = _merge(foreign, ours, private)
    body = (
        kept.decode()
        if kept
        else f'<x:xmpmeta xmlns:x="{_META}"><rdf:RDF xmlns:rdf="{RDF}">{ours}</rdf:RDF></x:xmpmeta>'
    )
    head = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    return f'{head}{body}<?xpacket end="r"?>'.encode(), reason


def in_two(
    recipe: str, description: Mapping[str, str], extra: str, foreign: bytes, private: bool
) -> tuple[bytes, bytes, str, str]:
    """For a JPEG, whose segments are short: our packet, and the foreign one for the segments of extended XMP.

    Returns both (the second without wrapper, empty where it had to be left out), the name that the first calls the
    second by, and why it was left out. Source: [XMP3] 1.1.3.1.
    """
    rest, reason = _merge(foreign, "", private)
    name = hashlib.md5(rest, usedforsecurity=False).hexdigest().upper() if rest else ""
    if rest:
        extra += f'<rdf:Description rdf:about="" xmlns:xmpNote="{_NOTE}" xmlns:rdf="{RDF}"'
        extra += f' xmpNote:HasExtendedXMP="{name}"/>'
    return packet(recipe, description, extra)[0], rest, name, reason


def _ours(recipe: str, description: Mapping[str, str]) -> str:
    for name in description:
        if not re.fullmatch(r"[A-Za-z_][\w.-]*", name, re.ASCII) or name == "Recipe":
            raise ValueError(f"description: '{name}' cannot name an XMP property")
    facts = {**description, **({"Recipe": recipe} if recipe else {})}
    inside = "".join(f"<lb:{name}>{escape(_legal(value), quote=False)}</lb:{name}>" for name, value in facts.items())
    about = f'<rdf:Description rdf:about="" xmlns:xmp="{_XMP}" xmlns:lb="{NAMESPACE}" xmlns:rdf="{RDF}">'
    return f"{about}<xmp:CreatorTool>{escape(SOFTWARE, quote=False)}</xmp:CreatorTool>{inside}</rdf:Description>"


def _legal(text: str) -> str:
    """Without the control characters that XML 1.0 cannot hold even when escaped."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def _parse(data: bytes) -> xml.dom.minidom.Document:
    """The XML inside a packet. Raises ValueError for anything but well-formed XML without a document type."""
    text = data.strip(b"\0 \r\n\t")
    if b"<!" in re.sub(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", b"", text, flags=re.S):
        raise ValueError("it declares a document type")
    try:
        return xml.dom.minidom.parseString(text)
    except (ExpatError, ValueError, LookupError) as error:
        raise ValueError(f"it is not well-formed XML ({error})") from error


def _merge(foreign: bytes, ours: str, private: bool) -> tuple[bytes, str]:
    if len(foreign) > _FOREIGN_LIMIT:
        return b"", f"the raw's XMP was left out: {len(foreign)} bytes are more than {_FOREIGN_LIMIT}"
    try:
        document = _parse(foreign)
        roots = document.getElementsByTagNameNS(RDF, "RDF")
        if len(roots) != 1:
            raise ValueError(f"it has {len(roots)} rdf:RDF elements instead of one")
        for described in list(roots[0].childNodes):
            if described.nodeType == described.ELEMENT_NODE:
                _clean(described, private)
        added = _parse(ours_document(ours).encode()).documentElement
        for node in list(added.childNodes) if added else []:
            roots[0].appendChild(document.importNode(node, True))
        root = document.documentElement
        return (root.toxml() if root else "").encode(), ""
    except ValueError as error:
        return b"", f"the raw's XMP was left out: {error}"


def ours_document(inner: str) -> str:
    """`inner` descriptions under one root, so that they can be parsed."""
    return f'<rdf:RDF xmlns:rdf="{RDF}">{inner}</rdf:RDF>'


def _stale(node: xml.dom.minidom.Node, private: bool) -> bool:
    names = _DROP.get(node.namespaceURI or "", ())
    local = str(node.localName or "")
    return names is None or local in names or (private and node.namespaceURI != RDF and bool(_PRIVATE.search(local)))


def _clean(described: xml.dom.minidom.Element, private: bool) -> None:
    """Take properties that no longer hold out of one rdf:Description, be they attributes or elements."""
    for attribute in list((described.attributes or {}).values()):
        if attribute.namespaceURI != "http://www.w3.org/2000/xmlns/" and _stale(attribute, private):
            described.removeAttributeNode(attribute)
    for child in list(described.childNodes):
        if child.nodeType == child.ELEMENT_NODE and _stale(child, private):
            described.removeChild(child)


def recipe(data: bytes) -> str | None:
    """The text of `lb:Recipe` in a packet; None where there is none or the packet is broken."""
    try:
        found = _parse(data).getElementsByTagNameNS(NAMESPACE, "Recipe")
    except ValueError:
        return None
    return (
        "".join(n.data for n in found[0].childNodes if n.nodeType in (n.TEXT_NODE, n.CDATA_SECTION_NODE))
        if found
        else None
    )

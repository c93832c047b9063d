"""Addresses of mail and of pages, and names that start with @, as they are said."""

import re

Match = re.Match[str]

_NAMES = {"/": " slash ", "@": " at ", ".": " dot ", "-": " dash ", "_": " underscore ", "~": " tilde "}
_NAMES |= dict.fromkeys("?&#", ", ")
# Ends of names, of which "example.com/path" without a scheme is known.
_DOMAINS = "com|org|net|io|ai|dev|app|gov|edu|info|me|tv|co|uk|de|fr|jp|cn|ru|eu|us|ca|au|be"

_PAGE = re.compile(
    r"\b(?:https?|ftp)://(?P<rest>[^\s<>\"']*[\w/])|\bwww\.[^\s<>\"']*[\w/]"
    rf"|(?<![\w@.-])(?:[\w-]+\.)+(?:{_DOMAINS})(?::\d+)?/[^\s<>\"',;]*[\w/]",
    re.ASCII,
)
_FILE = re.compile(
    r"(?<=[\w)-])\.(?=(?:txt|py|js|ts|json|md|pdf|docx?|xlsx?|csv|html?|css|php|mp[34]|wav|zip|exe|png|jpe?g|gif|xml"
    r"|ya?ml|cpp|java|sh|ini|log|dll|list|ckpt|pth)\b(?!\.\w))",
    re.ASCII,
)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+\b", re.ASCII)


def _spoken(address: str) -> str:
    return "".join(_NAMES.get(character, character) for character in address)


def _page(match: Match) -> str:
    return _spoken(match["rest"] or match[0]).rstrip(" ,")


def spell_addresses(text: str) -> str:
    """`text` with addresses and names of files in words: "john@example.com" is "john at example dot com"."""
    return _FILE.sub(" dot ", _MAIL.sub(lambda match: _spoken(match[0]), _PAGE.sub(_page, text)))

"""HTML pages to title and main text, through resiliparse (the `html` extra)."""

from __future__ import annotations

import re

from newsclf.errors import need

_PAGE = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|article|div|p|section|main)\b[^>]*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</(?:p|div|body|html|article|section|main|head)>", re.IGNORECASE)


def looks_like_html(text: str) -> bool:
    """Whether a text is an HTML page or fragment: it opens with a block tag and closes one."""
    return text.lstrip()[:1] == "<" and bool(_PAGE.match(text)) and bool(_TAG.search(text))


def extract_html(page: str) -> tuple[str, str]:
    """Title and main text of a page, paragraphs on lines of their own; raises MissingExtra without the `html` extra."""
    need("resiliparse", "html", why="reading an HTML page")
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse(page)
    heading = tree.body.query_selector("h1") if tree.body else None
    title = " ".join((tree.title or (heading.text if heading else "") or "").split())
    text = extract_plain_text(tree, main_content=True, alt_texts=False, preserve_formatting=True, links=False, list_bullets=False)
    # pages without enough markup have no "main content" for the extractor: all of their text is better than none
    text = text or extract_plain_text(tree, main_content=False, alt_texts=False, preserve_formatting=True)
    return title, text.strip()

"""HTML pages to title and main text, through resiliparse (the `html` extra)."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from newsclf.errors import need

_BLOCK = "html|head|body|article|div|p|section|main|header|figure|blockquote|h[1-6]|[uo]l|table"
# comments are read in one way only (`?>`, `*+`): a text of thousands of them would be tried in 2ⁿ ways
_PAGE = re.compile(rf"[\s\ufeff]*+(?:<\?xml[^>]*>\s*+)?(?:(?><!--.*?-->)\s*+)*+<(?:!doctype\s+html|{_BLOCK})\b[^>]*>", re.IGNORECASE | re.DOTALL)
_CLOSED = re.compile(rf"</(?:{_BLOCK})\s*>", re.IGNORECASE)


def looks_like_html(text: str) -> bool:
    """Whether a text is an HTML page or fragment: it opens with a block tag and closes one."""
    return _PAGE.match(text) is not None and _CLOSED.search(text) is not None


def extract_html(page: str) -> tuple[str, str]:
    """Title and main text of a page, paragraphs on lines of their own; raises MissingExtra without the `html` extra."""
    need("resiliparse", "html", why="reading an HTML page")
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse(page.lstrip("\ufeff"))
    heading = tree.body.query_selector("h1") if tree.body else None
    title = " ".join((tree.title or (heading.text if heading else "") or "").split())
    _spare_lists(tree)
    read = partial(extract_plain_text, tree, preserve_formatting=True, alt_texts=False, links=False, list_bullets=False, comments=False)
    # pages without enough markup have no "main content" for the extractor: all of their text is better than none
    text = read(main_content=True) or read(main_content=False)
    return title, text.strip()


def _spare_lists(tree: Any) -> None:
    """Make numbered lists of bulleted ones that are more than links: the extractor takes every `ul` for navigation."""
    for bulleted in tree.body.query_selector_all("ul") if tree.body else ():
        if sum(len(link.text) for link in bulleted.query_selector_all("a")) * 2 < len(bulleted.text.strip()):
            numbered = tree.create_element("ol")
            for item in list(bulleted.child_nodes):
                numbered.append_child(item)
            bulleted.parent.replace_child(numbered, bulleted)

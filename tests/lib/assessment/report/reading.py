"""A page as its reader gets it: the tags, their attributes, and the text."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """`tags` are (name, attributes) in order; `texts` the text below each of them, without tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[int] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")
        self._open.append(len(self.tags) - 1)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self.tags[self._open.pop()][0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for number in self._open:
            self.texts[number] += data

    def all(self, name: str, **attributes: str) -> list[str]:
        """The texts of the elements of this name with these attributes, blanks made single."""
        wanted = {key.replace("_", "-"): value for key, value in attributes.items()}.items()
        both = zip(self.tags, self.texts, strict=True)
        found = [text for (tag, given), text in both if tag == name and wanted <= given.items()]
        return [" ".join(text.split()) for text in found]

    def values(self, name: str, attribute: str) -> list[str]:
        """The values of an attribute of the elements of this name."""
        return [given[attribute] for tag, given in self.tags if tag == name and attribute in given]

"""Fills in the forms of a page as somebody would who leaves empty what may be empty."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

PASSWORD = "yi-ge-xin-de-2026"
#: What is chosen or typed where the first choice, or any word, would not do.
CHOSEN = {"secret": "phone", "username": "shishi", "email": "a@b.cn", "points": "3", "amount": "3"}
CHOSEN |= {"password1": PASSWORD, "password2": PASSWORD, "code": "shi"}
TYPED = {"date": "2026-01-05", "number": "1", "password": PASSWORD}


@dataclass
class Form:
    """A form that is posted; `filled` is what its controls hold, `names` are all of them."""

    action: str
    filled: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def put(self, name: str, value: str) -> None:
        self.names.add(name)
        self.filled.setdefault(name, []).append(value)


class Forms(HTMLParser):
    """`found`: the forms of a page that are posted."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[Form] = []
        self._form: Form | None = None
        self._select: dict | None = None
        self._area: dict | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            is_posted = attrs.get("method", "").lower() == "post"
            self._form = Form(attrs.get("action") or "") if is_posted else None
            self.found += [self._form] if is_posted else []
        elif self._form is None:
            return
        elif tag == "option" and self._select is not None:
            self._select["values"].append((attrs.get("value", ""), "selected" in attrs))
        elif attrs.get("name"):
            self._form.names.add(attrs["name"])
            self._control(tag, attrs)

    def _control(self, tag: str, attrs: dict) -> None:
        if tag == "input":
            self._input(attrs)
        elif tag == "select":
            self._select = attrs | {"values": []}
        elif tag == "textarea":
            self._area = attrs | {"text": ""}
        elif tag == "button" and attrs["name"] not in self._form.filled:
            self._form.put(attrs["name"], attrs.get("value", ""))  # the first button is pressed

    def _input(self, attrs: dict) -> None:
        name, kind, value = attrs["name"], attrs.get("type", "text"), attrs.get("value", "")
        if kind in ("checkbox", "radio"):
            is_first = name == "person" and name not in self._form.filled
            if "checked" in attrs or is_first:
                self._form.put(name, value or "on")
        elif kind == "submit" and "_save" in self._form.filled:
            return
        elif kind not in ("file", "button"):
            if not value and "required" in attrs:
                value = CHOSEN.get(name) or TYPED.get(kind, "试试")
            self._form.put(name, value)

    def handle_data(self, data):
        if self._area is not None:
            self._area["text"] += data

    def handle_endtag(self, tag):
        if tag == "select" and self._select is not None:
            self._form.put(self._select["name"], self._chosen())
            self._select = None
        elif tag == "textarea" and self._area is not None:
            typed = self._area["text"].strip() or ("试试" if "required" in self._area else "")
            self._form.put(self._area["name"], typed)
            self._area = None
        elif tag == "form":
            self._form = None

    def _chosen(self) -> str:
        """What is selected, else the first; where something must be, the first that is one."""
        name, values = self._select["name"], self._select["values"]
        if name in CHOSEN:
            return CHOSEN[name]
        chosen = next((value for value, is_selected in values if is_selected), None)
        if chosen is None and values:
            chosen = values[0][0]
        if not chosen and "required" in self._select:
            chosen = next((value for value, _ in values if value), "")
        return chosen or ""

"""The form in which staff say what the unknown names of a file mean."""

from django import forms

from branches.roster.mapping import Choice
from branches.roster.names import UnknownName
from cadres.models import Community
from cadres.rosters import Names

NOTHING = ("", "先不处理")
REMEMBER = "以后的表也都这样认，不再询问"
THIS_FILE = "只用于这份表：同名的村不止一个，以后的表请写上乡镇。"
UNCLEAR = "可能指几个地方，不勾选就只用于这份表。"
PART = "其中单位的写法（后面的算职务）"


class NamesForm(forms.Form):
    """For each unknown name what it means; fields are named after the names' keys.

    Only names that were sent, or without data those of `shown`, have fields.
    """

    def __init__(self, unknown: list[UnknownName], names: Names, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.options = Options(names)
        asked = [u for u in unknown if u.known_as is None]
        self.known = [u for u in unknown if u.known_as]
        self.asked = [u for u in asked if not self.is_bound or f"to-{u.key}" in self.data]
        for one in self.asked:
            self._ask(one)

    def _ask(self, unknown: UnknownName) -> None:
        self.fields[f"to-{unknown.key}"] = forms.ChoiceField(
            required=False,
            choices=self.options.of(unknown),
            label=f"{unknown.label}“{unknown.name}”对应到",
            error_messages={"invalid_choice": "请在列表里选一个名称。"},
        )
        if unknown.with_post:
            self.fields[f"part-{unknown.key}"] = forms.CharField(
                required=False, max_length=80, label=PART, initial=unknown.name
            )
        if unknown.match.is_unclear and not unknown.is_for_this_file_only:
            self.fields[f"remember-{unknown.key}"] = forms.BooleanField(
                required=False, label=REMEMBER, help_text=UNCLEAR
            )

    def rows(self) -> list[dict]:
        """Each asked name with its boxes, for the page."""
        return [
            {
                "unknown": unknown,
                "to": self[f"to-{unknown.key}"],
                "near": [name for _, name in self.options.near(unknown)],
                "part": self._box("part", unknown),
                "remember": self._box("remember", unknown),
                "hint": THIS_FILE if unknown.is_for_this_file_only else "",
                "township": self.options.names.townships.display.get(unknown.township, ""),
                "texts": sorted(unknown.texts - {unknown.name})[:3],
            }
            for unknown in self.asked
        ]

    def _box(self, kind: str, unknown: UnknownName):
        name = f"{kind}-{unknown.key}"
        return self[name] if name in self.fields else None

    def clean(self):
        super().clean()
        if not self.errors and not self.chosen() and not self.known:
            raise forms.ValidationError("还没有选：请至少给一个名称选好对应，再存下。")
        return self.cleaned_data

    def chosen(self) -> list[Choice]:
        found = []
        for unknown in self.asked:
            if pk := self.cleaned_data.get(f"to-{unknown.key}"):
                part = self.cleaned_data.get(f"part-{unknown.key}", "")
                remember = self.cleaned_data.get(f"remember-{unknown.key}", True)
                found.append(Choice(unknown.key, int(pk), part, remember))
        return found


class Options:
    """The official names to choose from, the nearest ones on top."""

    def __init__(self, names: Names):
        self.names, self._all = names, {}

    def of(self, unknown: UnknownName) -> list:
        near = self.near(unknown)
        groups = [("相近的名称", near)] if near else []
        return [NOTHING, *groups, *self._every(unknown.kind, unknown.township)]

    def near(self, unknown: UnknownName) -> list[tuple[int, str]]:
        index = self.names.index(unknown.kind, unknown.township)
        by_name = {name: pk for pk, name in index.display.items()}
        match = unknown.match
        wanted = [match.name, *match.suggestions] if match.is_close else match.suggestions
        return [(by_name[name], name) for name in wanted if name in by_name]

    def _every(self, kind: str, township: int | None) -> list:
        found = self._all.get((kind, township))
        if found is None:
            display = self.names.index(kind, township).display
            everything = [("全部", list(display.items()))]
            found = _by_township() if (kind, township) == ("community", None) else everything
            self._all[kind, township] = found
        return found


def _by_township() -> list:
    groups: dict[str, list] = {}
    places = Community.objects.select_related("township")
    for place in places:
        groups.setdefault(place.township.name, []).append((place.pk, place.name))
    return list(groups.items())

"""Which activity class a person's age, health and stays in hospital suggest, and who is due.

Pure: facts in, judgement out; nothing here asks the database. A suggestion never changes a
class: a person of the office accepts it or does not. Age and health only ever suggest less
activity; more activity is suggested for one reason alone, that somebody has left hospital.
"""

import datetime
import re
from dataclasses import dataclass

from django.db import models

from cadres.dates import add_months, age_on
from cadres.models import ActivityClass, ClassReason

# ---- the office's thresholds, all of them ------------------------------------------------------

#: From this age on no more than 适当参加活动.
MODERATE_FROM_AGE = 80
#: From this age on 不能参加活动, unless the health is written down as good.
RESTING_FROM_AGE = 90
#: Ages at which the class is looked at again.
REVIEW_AGES = (MODERATE_FROM_AGE, RESTING_FROM_AGE)
#: An open stay in hospital counts for so many days from its first one on: after that it is
#: more likely that nobody wrote down the discharge.
HOSPITAL_DAYS = 60
#: For so long is the class temporary that a stay in hospital suggests.
HOSPITAL_MONTHS = 3
#: So many days after the discharge (or the change, if later) the class is looked at again.
RECOVERY_DAYS = 30
#: A class is looked at again after so many months; for as long a refused suggestion is silent.
REVIEW_MONTHS = 12
#: A temporary class is looked at so many days before it ends.
ENDING_DAYS = 14

# ---- words of health ---------------------------------------------------------------------------

_NOT = "(?<!无)(?<!没有)(?<!未)(?<!非)(?<!不)(?<!不是)"
_LIGHT = "(?<!半)(?<!轻度)(?<!部分)"
#: Cannot take part: 卧床, 失能, 重病 …; not where a 无, 没有, 半 or 轻度 stands before.
GRAVE = (
    f"{_NOT}{_LIGHT}(卧床|失能|瘫|失智|痴呆|阿尔茨海默|植物人|昏迷|(?<!较)重病|病重|病危|危重"
    "|重大疾病|晚期|长期住院|生活不能自理)"
)
#: At most 适当参加: 行动不便, 半失能, 术后 …
WEAK = (
    f"{_NOT}(行动不便|行走不便|腿脚不便|行动困难|行走困难|慢性病(较重|严重|加重)"
    "|(半|轻度|部分)(失能|失智|痴呆|瘫|自理)|术后|手术|拐杖|拄拐|轮椅|透析|化疗|放疗"
    "|癌|恶性肿瘤|中风|脑梗|心梗)"
)
#: Good health: said by the whole entry, not by a word in it (健康状况一般 is not good).
GOOD = "^(身体|健康|状况|情况|总体|基本|比较|很|:|：)*(良好|较好|好|健康|硬朗)$"


class Health(models.TextChoices):
    """What the entry 健康状况 says about taking part"""

    GOOD = "good", "良好"
    UNKNOWN = "unknown", "没有说明"
    WEAK = "weak", "需要减少活动"
    GRAVE = "grave", "不能参加活动"


def health_of(words: str) -> Health:
    """How the entry 健康状况 reads; the worst word in it counts."""
    if re.search(GRAVE, words):
        return Health.GRAVE
    if re.search(WEAK, words):
        return Health.WEAK
    return Health.GOOD if re.search(GOOD, words) else Health.UNKNOWN


# ---- facts and suggestions ---------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What is known of a person on a day; an empty class means 未分类."""

    day: datetime.date
    activity_class: str = ""
    birth_date: str = ""
    health: str = ""
    #: The entry of the class ledger that counts: since when, until when, why.
    class_since: datetime.date | None = None
    class_until: datetime.date | None = None
    class_reason: str = ""
    #: The lasting class before it that was not given for a stay in hospital.
    class_before: str = ""
    #: The last stay in hospital; without `left_hospital` it is not known to have ended.
    entered_hospital: datetime.date | None = None
    left_hospital: datetime.date | None = None
    #: The last day on which somebody decided about the class, and on which it was reviewed.
    looked_on: datetime.date | None = None
    reviewed_on: datetime.date | None = None
    #: Reasons of suggestions that were refused within the last twelve months.
    refused: frozenset[str] = frozenset()

    @property
    def age(self) -> int | None:
        return age_on(self.birth_date, self.day)

    @property
    def is_in_hospital(self) -> bool:
        """Entered lately, and not known to have left."""
        since, until = self.entered_hospital, self.left_hospital
        if since is None or (until and until <= self.day):
            return False
        return self.day - datetime.timedelta(HOSPITAL_DAYS) <= since <= self.day

    @property
    def has_recovered(self) -> bool:
        """Given the class for a stay in hospital, and out of it for long enough."""
        if self.class_reason != ClassReason.HOSPITAL or not self.left_hospital:
            return False
        latest = max(self.left_hospital, self.class_since or self.left_hospital)
        return (self.day - latest).days > RECOVERY_DAYS


class Rule(models.TextChoices):
    """The rules, the strictest first; the first one that holds is the suggestion"""

    GRAVE_HEALTH = "grave_health", "健康状况不能参加活动"
    RESTING_AGE = "resting_age", f"满 {RESTING_FROM_AGE} 岁"
    IN_HOSPITAL = "in_hospital", "正在住院"
    WEAK_HEALTH = "weak_health", "健康状况需要减少活动"
    MODERATE_AGE = "moderate_age", f"满 {MODERATE_FROM_AGE} 岁"
    RECOVERED = "recovered", "出院以后"
    FIRST = "first", "还没有类别"


#: Rule → class, reason in the ledger, and its sentence; {} is the entry 健康状况 or a date.
#: The sentence is also what a refusal is remembered by: other words, another suggestion.
_TABLE = {
    Rule.GRAVE_HEALTH: (
        ActivityClass.C,
        ClassReason.HEALTH,
        "健康状况登记为“{}”，不宜参加活动。",
    ),
    Rule.RESTING_AGE: (
        ActivityClass.C,
        ClassReason.AGE,
        f"已满 {RESTING_FROM_AGE} 岁，健康状况也没有登记为良好，不宜参加活动。",
    ),
    Rule.IN_HOSPITAL: (
        ActivityClass.C,
        ClassReason.HOSPITAL,
        f"{{}} 起住院，还没有登记出院，先停止参加活动 {HOSPITAL_MONTHS} 个月。",
    ),
    Rule.WEAK_HEALTH: (
        ActivityClass.B,
        ClassReason.HEALTH,
        "健康状况登记为“{}”，只宜适当参加活动。",
    ),
    Rule.MODERATE_AGE: (
        ActivityClass.B,
        ClassReason.AGE,
        f"已满 {MODERATE_FROM_AGE} 岁，只宜适当参加活动。",
    ),
    Rule.RECOVERED: (
        "",
        ClassReason.RECOVERED,
        f"{{}} 出院，已超过 {RECOVERY_DAYS} 天，可以恢复参加活动。",
    ),
    Rule.FIRST: (
        ActivityClass.A,
        ClassReason.REVIEW,
        "年龄和健康状况都没有妨碍，可以正常活动。",
    ),
}
STRICT = (
    Rule.GRAVE_HEALTH, Rule.RESTING_AGE, Rule.IN_HOSPITAL, Rule.WEAK_HEALTH, Rule.MODERATE_AGE,
)  # fmt: skip


@dataclass(frozen=True)
class Suggestion:
    """A class, by which rule, and why in one sentence; `months` when it is a temporary one."""

    activity_class: str
    rule: Rule
    why: str
    months: int = 0

    @property
    def reason_kind(self) -> str:
        return _TABLE[self.rule][1]

    def until(self, on: datetime.date) -> datetime.date | None:
        """When the class ends by itself if it begins on a day."""
        return add_months(on, self.months) if self.months else None


def class_of(rule: Rule) -> str:
    """The class that the rule asks for at least; A < B < C, as the letters are sorted."""
    return _TABLE[rule][0]


def sentence(rule: Rule) -> str:
    """The rule's sentence, with {} where a person's own words or date stand."""
    return _TABLE[rule][2]


def suggest(facts: Facts) -> Suggestion | None:
    """The class that the facts suggest, None when it is the person's own (or nothing is known)."""
    floor = next((rule for rule in STRICT if _holds(rule, facts)), None)
    least = class_of(floor) if floor else ActivityClass.A
    if not facts.activity_class:
        return _first(facts, floor)
    if floor and least > facts.activity_class:
        return _suggestion(floor, facts)
    back = max(least, facts.class_before or ActivityClass.A)
    if facts.has_recovered and back < facts.activity_class:
        return _suggestion(Rule.RECOVERED, facts, back)
    return None


def _first(facts: Facts, floor: Rule | None) -> Suggestion | None:
    """A first class is never temporary: there is nothing to go back to."""
    if floor:
        return _suggestion(floor, facts)
    if facts.age is None and not facts.health:
        return None
    return _suggestion(Rule.FIRST, facts)


def _holds(rule: Rule, facts: Facts) -> bool:
    """Whether the age, the health or the stay in hospital asks for at least the rule's class."""
    age, health = facts.age or 0, health_of(facts.health)
    return {
        Rule.GRAVE_HEALTH: health == Health.GRAVE,
        Rule.RESTING_AGE: age >= RESTING_FROM_AGE and health != Health.GOOD,
        Rule.IN_HOSPITAL: facts.is_in_hospital,
        Rule.WEAK_HEALTH: health == Health.WEAK,
        Rule.MODERATE_AGE: age >= MODERATE_FROM_AGE,
    }[rule]


def _suggestion(rule: Rule, facts: Facts, activity_class: str = "") -> Suggestion:
    own = {
        Rule.IN_HOSPITAL: facts.entered_hospital,
        Rule.RECOVERED: facts.left_hospital,
    }.get(rule, facts.health)
    is_temporary = rule == Rule.IN_HOSPITAL and facts.activity_class
    return Suggestion(
        activity_class=activity_class or class_of(rule),
        rule=rule,
        why=sentence(rule).format(own),
        months=HOSPITAL_MONTHS if is_temporary else 0,
    )


# ---- who is due --------------------------------------------------------------------------------


class Due(models.TextChoices):
    """为什么到期（要复核）"""

    UNCLASSED = "unclassed", "还没有类别"
    SUGGESTED = "suggested", "建议与现在的类别不同"
    ENDING = "ending", "临时类别快到期"
    AGE = "age", f"满 {MODERATE_FROM_AGE} 岁或 {RESTING_FROM_AGE} 岁后没有看过"
    OVERDUE = "overdue", f"{REVIEW_MONTHS} 个月没有看过"


def due(facts: Facts) -> list[Due]:
    """Why the class of a person is to be looked at, most pressing first; nothing: it is not."""
    if not facts.activity_class:
        return [Due.UNCLASSED]
    suggestion = suggest(facts)
    found = {
        Due.SUGGESTED: suggestion is not None and suggestion.why not in facts.refused,
        Due.ENDING: _is_ending(facts),
        Due.AGE: any(_has_passed(age, facts) for age in REVIEW_AGES),
        Due.OVERDUE: facts.looked_on is None
        or facts.looked_on <= add_months(facts.day, -REVIEW_MONTHS),
    }
    return [reason for reason, holds in found.items() if holds]


def _is_ending(facts: Facts) -> bool:
    """The temporary class ends soon (or has ended), and nobody has looked since that began."""
    if facts.class_until is None:
        return False
    window = facts.class_until - datetime.timedelta(ENDING_DAYS)
    looked = [day for day in (facts.class_since, facts.reviewed_on) if day]
    return facts.day >= window and all(day < window for day in looked)


def _has_passed(age: int, facts: Facts) -> bool:
    """The person has reached an age since the class was last looked at."""
    if facts.age is None or facts.age < age:
        return False
    return facts.looked_on is None or age_on(facts.birth_date, facts.looked_on) < age

"""Takes the handbook's pictures from a running demo county: `make handbook` beside `make run`.

It looks and does not decide: forms are filled and not sent, an upload is discarded, an export that
waits is refused. What stays behind in the demo: one comparison, one number that was looked at,
one export, and a proof of the books.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

BASE = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
IMAGES = Path(__file__).with_name("images")
ROOT = Path(__file__).parents[2]
PASSWORD = "yinyao-2025"
MESSY = ROOT / "branches" / "tests" / "data" / "roster_messy.xlsx"
DESK, PHONE = (1180, 760), (390, 760)
#: The demo's year, its person with points, and its frozen account.
YEAR, RETIREE, FROZEN = 2025, "董远康", "郭刚兴"
#: A list of some other office: two of ours, one wrongly written, one unknown.
LIST = """姓名,出生年月,单位,去世时间
江安邦,1952年9月,奉节县工商业联合会,2026年3月2日
林燕菊,1943年6月,奉节县长安土家族乡,2026年5月
张子虚,1939年1月,奉节县教育委员会,2026年4月8日
"""
BRANCHES = """名称,特色
永安街道朝阳社区离退休干部党支部,红岩青松
白帝镇离退休干部党支部,诗城讲堂
没有的党支部,讲堂
"""


#: Date boxes speak the browser's language; where it has no Chinese they look as if it had.
CHINESE_DATES = """() => {
  for (const box of document.querySelectorAll("input[type=date]")) {
    box.style.width = box.offsetWidth + "px";
    box.dataset.own = box.value;
    box.type = "text";
    box.value = box.dataset.own.replace(/-/g, "/") || "年/月/日";
  }
}"""
OWN_DATES = """() => {
  for (const box of document.querySelectorAll("input[data-own]")) {
    box.type = "date";
    box.value = box.dataset.own;
    box.removeAttribute("data-own");
  }
}"""


class Camera:
    """One user's browser; `shoot` keeps a picture of what stands on the screen."""

    def __init__(self, browser, user: str, size: tuple[int, int]):
        context = browser.new_context(
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            viewport={"width": size[0], "height": size[1]},
            base_url=BASE,
        )
        self.page: Page = context.new_page()
        self.size = size
        self.page.goto("/login/")
        if user:
            self.page.fill("#id_username", user)
            self.page.fill("#id_password", PASSWORD)
            self.press("main button")
            self.page.wait_for_url(BASE + "/")

    def open(self, address: str) -> Page:
        self.page.goto(address)
        return self.page

    def shoot(self, name: str, *, at: str = "", height: int = 0) -> None:
        """From the top of the page, or from the element `at`; `height` pixels of it."""
        top = 0
        if at:
            box = self.page.locator(at).first.bounding_box()
            top = max(0, box["y"] + self.page.evaluate("scrollY") - 12)
        height = height or self.size[1]
        whole = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": self.size[0], "height": int(top) + height})
        self.page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        self.page.evaluate(CHINESE_DATES)
        clip = {"x": 0, "y": top, "width": self.size[0], "height": min(height, whole - top)}
        self.page.screenshot(path=IMAGES / f"{name}.png", clip=clip)
        self.page.evaluate(OWN_DATES)
        self.page.set_viewport_size({"width": self.size[0], "height": self.size[1]})

    def press(self, what: str) -> None:
        """A link or a button that leads to another page."""
        with self.page.expect_navigation():
            self.page.click(what)

    def person(self, name: str) -> None:
        self.open(f"/people/?q={name}")
        self.press(f"main td >> text={name}")


# ---- the office ----------------------------------------------------------------------------------


def imports(staff: Camera) -> None:
    page = staff.open("/imports/new/")
    staff.shoot("import-new", at="h1", height=640)
    page.set_input_files("#id_file", MESSY)
    page.select_option("#id_scope", "units")
    staff.press("text=上传并预览")
    page.wait_for_url("**/imports/*/")
    batch = page.url.removeprefix(BASE)
    staff.shoot("import-preview", height=900)
    staff.shoot("import-rows", at="#rows", height=560)
    staff.press("text=对应没认出的名称")
    staff.shoot("import-names", at="h1", height=330)
    staff.open(batch + "?show=missing#rows")
    staff.shoot("import-missing", at="#rows", height=520)
    staff.press("text=不要了，放弃")
    staff.shoot("import-list", at="h1", height=290)


def comparison(staff: Camera) -> None:
    page = staff.open("/comparisons/")
    known = page.locator("main td a", has_text="民政局去世人员")
    if known.count():
        staff.open(known.first.get_attribute("href"))
    else:
        staff.open("/comparisons/new/")
        page.fill("#id_source", "民政局去世人员")
        page.set_input_files("#id_file", files("去世人员.csv", LIST))
        staff.press("text=上传并比对")
        page.wait_for_url("**/comparisons/*/")
    staff.shoot("comparison", at="h1", height=960)


def files(name: str, text: str) -> dict:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def people(staff: Camera) -> None:
    page = staff.open("/people/?activity_class=C")
    staff.shoot("people", at="h1", height=950)
    for box in page.locator("main td input[type=checkbox]").all()[:3]:
        box.check()
    staff.press("text=给勾选的人调整活动类别")
    page.select_option("#id_activity_class", "B")
    page.select_option("#id_reason_kind", "hospital")
    page.fill("#id_until", page.input_value("#id_on").replace("-11-", "-12-"))
    staff.shoot("reclassify", at="h1", height=770)
    staff.person(RETIREE)
    staff.shoot("person", at="h1", height=800)
    staff.press("text=登记去世或转出")
    page.select_option("#id_kind", "moved_away")
    page.fill("#id_on", "2026-01-10")
    page.fill("#id_place", "重庆市渝北区")
    staff.press("text=看看会有哪些变化")
    staff.shoot("departure", at="h1", height=1110)
    staff.open("/admin/cadres/retiree/")
    staff.shoot("desk-people", height=570)


def classes(staff: Camera) -> None:
    staff.open("/people/review/?why=suggested")
    staff.shoot("review-list", at="h1", height=630)
    staff.press("main td a >> nth=0")
    staff.shoot("review", at="h1", height=1000)
    staff.open("/people/classes/?on=2025-12-31&by=area")
    staff.shoot("class-totals", at="h1", height=670)
    staff.open("/people/class-ledger/?reason_kind=import")
    staff.shoot("class-ledger", at="h1", height=630)


def care(staff: Camera) -> None:
    page = staff.open("/care/birthdays/")
    staff.shoot("birthdays", at="h1", height=490)
    staff.open(f"/care/new/?q={RETIREE}")
    staff.press("main .ticks a")
    page.select_option("#id_kind", "visit")
    page.fill("#id_visitors", "支部书记、办公室小李")
    page.fill("#id_given", "慰问金 500 元")
    staff.shoot("care-new", at="h1", height=1030)


def exports(staff: Camera, head: Camera) -> None:
    """A full export waits for the head, who refuses it."""
    page = staff.open("/exports/new/roster/?status=active")
    page.select_option("#id_is_full", "yes")
    page.fill("#id_reason", "市委老干部局年报核对")
    page.fill("#id_password", PASSWORD)
    staff.shoot("export-new", at="h1", height=680)
    staff.press("main button >> text=导出")
    page.wait_for_url(re.compile(r"/exports/\d+/$"))
    head.open(page.url.removeprefix(BASE))
    head.shoot("export-decide", height=420)
    head.press("text=不同意")


def desk(staff: Camera) -> None:
    page = staff.open("/admin/cadres/user/add/")
    page.fill("#id_username", "wangmin")
    page.fill("#id_name", "王敏")
    page.check("text=工作人员")
    staff.shoot("user-new", height=730)
    staff.open("/admin/branches/branch/import/")
    page.set_input_files("input[type=file]", files("党支部.csv", BRANCHES))
    staff.press("text=上传并预览")
    staff.shoot("table-import", height=640)


def idle(browser) -> None:
    """Half an hour goes by in the browser alone."""
    staff = Camera(browser, "staff", DESK)
    staff.page.clock.install()
    staff.open("/care/new/")
    staff.page.clock.fast_forward(29 * 60 * 1000)
    staff.page.wait_for_selector("[data-idle]:not([hidden])")
    staff.shoot("idle", height=300)


def points(staff: Camera, head: Camera) -> None:
    page = staff.open("/points/ledger/")
    staff.shoot("points-ledger", at="main", height=730)
    staff.open(f"/points/accounts/?q={RETIREE}&year={YEAR}")
    staff.press(f"main td >> text={RETIREE}")
    staff.shoot("points-person", at="main", height=880)
    staff.press("text=手工加减积分")
    page.fill("#id_points", "2")
    page.fill("#id_reason", "漏记一次主题党日，有签到表")
    staff.shoot("points-adjust", at="main", height=760)
    staff.open(f"/points/accounts/?show=frozen&year={YEAR}")
    staff.shoot("points-frozen", at="main", height=650)
    staff.press("text=处理冻结账户")
    staff.shoot("points-settle", at="main", height=650)
    head.open("/points/approvals/")
    head.shoot("points-approvals", at="main", height=990)
    head.open("/points/rules/")
    head.shoot("points-rules", at="main", height=630)
    head.press("main td a >> nth=0")
    head.shoot("points-rule-new", at="main", height=770)
    staff.open(f"/points/figures/?year={YEAR}")
    staff.shoot("points-figures", at="main", height=730)
    staff.open(f"/points/ranking/?year={YEAR}")
    staff.shoot("points-ranking", at="main", height=690)
    proof = subprocess.run(  # at night it is made by itself; a new demo has none yet
        [sys.executable, "manage.py", "audit_ledger"], cwd=ROOT, capture_output=True, check=False
    )
    if proof.returncode not in (0, 1):
        sys.exit("账目核对没有运行：这里要和 make run 用同一个项目目录。")
    staff.open("/points/audit/")
    staff.shoot("points-audit", at="main", height=350)


def redemption(staff: Camera) -> None:
    page = staff.open("/points/days/")
    staff.shoot("days", at="main", height=560)
    staff.open("/points/days/")
    # The last open day in the list: today's, at which the paper can be typed back.
    staff.press("main tbody tr:has-text('可以预约') a >> nth=-1")
    staff.shoot("day", at="h1", height=900)
    day = page.url.removeprefix(BASE)
    for part in ("stock", "list", "paper"):
        staff.open(f"{day}{part}/")
        staff.shoot(f"day-{part}", at="h1", height=760)
    till(staff)
    staff.open("/points/redemptions/")
    staff.shoot("redemptions", at="h1", height=560)
    staff.press("main tbody a >> nth=0")
    staff.shoot("slip", at="main", height=620)


def till(staff: Camera) -> None:
    """The till opens on its day: today's of the demo, as long as it is the day of its loading."""
    page = staff.open("/points/days/")
    for link in page.locator("main tbody tr:has-text('可以预约') td:first-child a").all():
        address = link.get_attribute("href") + "till/"
        staff.open(f"{address}?q={RETIREE}")
        if page.locator("#search").count():
            staff.shoot("till", at="h1", height=760)
            return
        staff.open("/points/days/")
    print("兑换台今天没有开，没有拍。")


def year_end(staff: Camera, head: Camera) -> None:
    head.open(f"/points/rollover/{YEAR}/")
    head.shoot("rollover", at="main", height=960)
    head.open(f"/points/rollover/{YEAR}/calls/")
    head.shoot("rollover-calls", at="main", height=620)
    head.open(f"/points/commendations/{YEAR}/")
    head.shoot("commendations", at="main", height=520)
    staff.open("/points/notices/new/")
    staff.shoot("notice-make", at="main", height=620)
    staff.open(f"/points/ranking/branches/?year={YEAR}")
    staff.shoot("ranking-groups", at="main", height=620)


def office(browser) -> None:
    staff, head = (Camera(browser, user, DESK) for user in ("staff", "head"))
    staff.shoot("office-home", height=820)
    staff.shoot("office-standing", at="#standing", height=150)
    imports(staff)
    comparison(staff)
    people(staff)
    classes(staff)
    care(staff)
    exports(staff, head)
    desk(staff)
    points(staff, head)
    redemption(staff)
    year_end(staff, head)
    idle(browser)


# ---- the others ----------------------------------------------------------------------------------


def secretary(browser) -> None:
    phone = Camera(browser, "secretary", PHONE)
    page = phone.page
    phone.shoot("secretary-home", height=900)
    phone.open("/care/visits/")
    phone.shoot("secretary-visits", at="main .paper", height=760)
    phone.open(f"/care/new/?q={RETIREE}")
    phone.press("main .ticks a")
    page.select_option("#id_kind", "hospital")
    phone.shoot("secretary-care", at="h1", height=1150)
    phone.person(RETIREE)
    page.select_option("#id_secret", "phone")
    page.fill("#id_reason", "通知本人参加主题党日")
    phone.shoot("secretary-reveal", at="text=查看完整号码", height=480)
    phone.press("main button >> text=查看")
    page.wait_for_selector("text=只显示这一次")
    phone.shoot("secretary-shown", at="h1", height=420)
    phone.open(page.url.replace("/reveal", ""))
    phone.press("text=积分存折")
    phone.shoot("secretary-points", at="h1", height=860)


def others(browser) -> None:
    retiree = Camera(browser, "retiree", PHONE)
    retiree.shoot("retiree-home", height=820)
    retiree.press("text=我的积分")
    retiree.shoot("retiree-points", height=1000)
    leader = Camera(browser, "leader", DESK)
    leader.shoot("leader-home", height=760)
    auditor = Camera(browser, "auditor", DESK)
    auditor.press("text=查阅记录")
    auditor.shoot("auditor-log", height=420)
    auditor.open("/history/?about=points.rule")
    auditor.shoot("auditor-history", height=700)
    contact = Camera(browser, "contact", PHONE)
    contact.shoot("contact-home", height=420)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        sys.exit("没有 Chromium：请先运行 make chromium。")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        Camera(browser, "", PHONE).shoot("login", height=700)
        office(browser)
        secretary(browser)
        others(browser)
        browser.close()


if __name__ == "__main__":
    main()

"""Takes the handbook's pictures from a running demo county: `make handbook` beside `make run`."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

BASE = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
IMAGES = Path(__file__).with_name("images")
PASSWORD = "yinyao-2025"
MESSY = Path(__file__).parents[2] / "branches" / "tests" / "data" / "roster_messy.xlsx"


def log_in(browser, user: str, width: int):
    context = browser.new_context(
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        viewport={"width": width, "height": 800},
        base_url=BASE,
    )
    page = context.new_page()
    page.goto("/login/")
    if user:
        page.fill("#id_username", user)
        page.fill("#id_password", PASSWORD)
        page.click("main button")
        page.wait_for_url(BASE + "/")
    return page


def save(page, name: str) -> None:
    page.screenshot(path=IMAGES / f"{name}.png")


def office(browser) -> None:
    page = log_in(browser, "staff", 1280)
    save(page, "home-1280")
    page.goto("/admin/cadres/retiree/")
    save(page, "retirees-1280")
    page.click("#result_list tbody th a >> nth=0")
    save(page, "retiree-1280")
    page.goto("/imports/new/")
    page.set_input_files("#id_file", MESSY)
    page.click("text=上传并预览")
    page.wait_for_url("**/imports/*/")
    save(page, "preview-1280")
    page.click("text=不要了，放弃")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        sys.exit("没有 Chromium：请先运行 make chromium。")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        save(log_in(browser, "", 360), "login-360")
        save(log_in(browser, "secretary", 360), "secretary-360")
        save(log_in(browser, "retiree", 360), "retiree-home-360")
        office(browser)
        browser.close()


if __name__ == "__main__":
    main()

#!/bin/sh
# Finds Chromium for the browser tests; installs Debian's, with Chinese fonts, when it is missing.
set -eu

has_browser() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

has_chinese_font() {
    command -v fc-list && fc-list :lang=zh-cn | grep .
}

if has_browser >/dev/null && has_chinese_font >/dev/null; then
    exit 0
fi

if [ "$(id -u)" = 0 ]; then
    root=
elif sudo -n true 2>/dev/null; then
    root="sudo -n"
else
    echo "浏览器测试需要 Chromium 和中文字体：请用 root 运行 apt-get install chromium fontconfig fonts-noto-cjk。" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "浏览器测试需要 Chromium 和中文字体：本机没有 apt-get，请自行安装后再试。" >&2
    exit 1
fi

echo "正在安装 Chromium 和中文字体（apt-get）……" >&2
$root apt-get update -qq >&2
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium fontconfig fonts-noto-cjk >/dev/null
has_browser >/dev/null || { echo "Chromium 没有装上。" >&2; exit 1; }

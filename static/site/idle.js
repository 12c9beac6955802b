// Two minutes before a session ends for want of use, the page says so. Without this file the
// server ends it just the same, and keeps what is sent afterwards.
(function () {
  "use strict";
  var box = document.querySelector("[data-idle]");
  if (!box) { return; }
  var form = box.querySelector("form");
  var words = box.querySelector("[data-words]");
  var button = box.querySelector("button");
  var warning = words.textContent;
  var limit = Number(box.getAttribute("data-idle")) * 1000;
  var before = Math.min(120000, limit / 2);
  var seen = Date.now();

  // Another tab of the same person counts as well.
  function note() {
    seen = Date.now();
    try { window.localStorage.setItem("seen", String(seen)); } catch (e) { return; }
  }
  function last() {
    try {
      return Math.max(seen, Number(window.localStorage.getItem("seen")) || 0);
    } catch (e) { return seen; }
  }
  function show(text, canStay) {
    if (words.textContent !== text) { words.textContent = text; }
    button.hidden = !canStay;
    box.hidden = false;
  }
  function look() {
    var idle = Date.now() - last();
    if (idle >= limit) {
      show("登录已经结束。填的内容还在页面上：照常提交，重新登录后可以继续。", false);
    } else if (idle >= limit - before) {
      show(warning, true);
    } else {
      box.hidden = true;
    }
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    event.stopPropagation();
    var request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.onload = function () {
      if (request.status === 204) { note(); }
      look();
    };
    request.send(new FormData(form));
  });
  note();
  window.setInterval(look, Math.min(5000, before / 4));
})();

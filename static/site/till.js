// The till by single keys; without this file everything is reached with Tab and Enter.
(function () {
  "use strict";
  var person = document.querySelector("[data-till]");
  var found = document.querySelector("[data-till-found]");
  var next = document.querySelector("[data-next]");

  function typing(event) {
    var at = event.target;
    return event.ctrlKey || event.altKey || event.metaKey || event.isComposing ||
      (at.tagName === "INPUT" && at.type === "text") || at.tagName === "SELECT";
  }
  function boxes() {
    return Array.prototype.slice.call(person.querySelectorAll("input[data-points]"));
  }
  function number(box) { return Number(box.value) || 0; }
  function tell() {
    var has = Number(person.querySelector("[data-has]").getAttribute("data-has"));
    var sum = 0;
    boxes().forEach(function (box) {
      sum += number(box) * Number(box.getAttribute("data-points"));
      box.parentNode.parentNode.classList.toggle("full", number(box) > 0);
    });
    person.querySelector("[data-sum]").className = sum > has ? "points error" : "points";
    person.querySelector("[data-sum]").textContent = !sum ? "" : sum > has
      ? "合计 " + sum + " 分，积分不够" : "合计 " + sum + " 分，还剩 " + (has - sum) + " 分";
  }
  function keyed(event) {
    if (typing(event)) { return; }
    if (event.key === "Backspace") {
      boxes().forEach(function (box) { box.value = ""; });
      tell();
      event.preventDefault();
      return;
    }
    var keys = Array.prototype.slice.call(person.querySelectorAll("kbd"));
    keys.forEach(function (key) {
      if (key.textContent === event.key) {
        var box = key.parentNode.parentNode.querySelector("input[data-points]");
        box.value = number(box) + 1;
        tell();
        // what stands in the boxes is handed out next, not what was reserved
        person.querySelector("[data-commit]").focus({ preventScroll: true });
        person.querySelector("[data-sum]").scrollIntoView({ block: "nearest" });
        event.preventDefault();
      }
    });
  }
  if (person) {
    var first = person.querySelector("[data-collect]") || person.querySelector("[data-commit]");
    first.focus({ preventScroll: true }); // the name, at the top, stays in sight
    document.addEventListener("keydown", keyed);
    person.addEventListener("input", tell);
    tell();
  }
  if (found) {
    found.querySelector("a").focus();
    document.addEventListener("keydown", function (event) {
      var links = found.querySelectorAll("a");
      if (!typing(event) && links[Number(event.key) - 1]) {
        window.location.href = links[Number(event.key) - 1].href;
      }
    });
  }
  if (next) { next.focus(); }
  // The browser's own autofocus comes with the first painting; the first key may come before it.
  var search = document.querySelector("#search[autofocus]");
  if (search && document.activeElement === document.body) { search.focus(); }
})();

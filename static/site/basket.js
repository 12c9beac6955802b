// Says while choosing what it comes to; without this file the next page does.
(function () {
  "use strict";
  var form = document.querySelector("[data-basket]");
  var words = form && form.querySelector("[data-sum]");
  if (!words) { return; }
  var has = Number(form.getAttribute("data-has"));
  function tell() {
    var sum = 0;
    Array.prototype.forEach.call(form.querySelectorAll("select[data-points]"), function (box) {
      sum += Number(box.getAttribute("data-points")) * (Number(box.value) || 0);
    });
    words.hidden = !sum;
    words.className = sum > has ? "note bad" : "note";
    words.textContent = sum > has ? "一共 " + sum + " 分，积分不够，请少选一些。"
      : "一共 " + sum + " 分，还剩 " + (has - sum) + " 分。";
  }
  form.addEventListener("change", tell);
  window.addEventListener("pageshow", tell);
})();

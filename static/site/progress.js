// Looks again every second while a job is under way; without this file there is a link.
(function () {
  "use strict";
  var box = document.querySelector("[data-under-way]");
  if (box) {
    setTimeout(function () { window.location.reload(); }, 1000);
  }
})();

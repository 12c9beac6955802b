// A second press of the same button while the first is on its way does nothing.
(function () {
  "use strict";
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.getAttribute("data-sent")) {
      event.preventDefault();
      return;
    }
    if ((form.method || "").toLowerCase() === "post") {
      form.setAttribute("data-sent", "1");
      window.addEventListener("pageshow", function () { form.removeAttribute("data-sent"); });
    }
  });
})();

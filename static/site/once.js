// A second press of the same button while the first is on its way does nothing. A form with
// data-again is answered with a file: the page stays, and the button may be pressed again.
(function () {
  "use strict";
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.getAttribute("data-sent")) {
      event.preventDefault();
      return;
    }
    if (form.hasAttribute("data-again")) {
      return;
    }
    if ((form.method || "").toLowerCase() === "post") {
      form.setAttribute("data-sent", "1");
      window.addEventListener("pageshow", function () { form.removeAttribute("data-sent"); });
    }
  });
})();

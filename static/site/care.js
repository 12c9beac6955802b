// Shows only the fields that fit the chosen kind; without this file all of them stand there.
(function () {
  "use strict";
  var kind = document.getElementById("id_kind");
  var fitting = {
    visit: ["place", "visitors", "given"],
    hospital: ["until", "place", "visitors"],
    birthday: ["visitors", "given"],
    hardship: ["visitors", "given"],
    death: []
  };
  function show() {
    ["until", "place", "visitors", "given"].forEach(function (name) {
      var box = document.getElementById("div_id_" + name);
      var field = document.getElementById("id_" + name);
      var wanted = fitting[kind.value];
      if (box && field) {
        // what is filled in never disappears
        box.hidden = Boolean(wanted) && wanted.indexOf(name) < 0 && !field.value && !box.querySelector(".error");
      }
    });
  }
  if (kind) {
    kind.addEventListener("change", show);
    show();
  }
})();

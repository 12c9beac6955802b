// The browser's own file button may speak English: a button of ours, and the name of the file.
(function () {
  "use strict";
  var inputs = document.querySelectorAll("input[type=file]");
  Array.prototype.forEach.call(inputs, function (input) {
    var button = document.createElement("label");
    button.className = "button second";
    button.htmlFor = input.id;
    button.textContent = "选择文件";
    var chosen = document.createElement("span");
    chosen.className = "chosen";
    chosen.textContent = "还没有选择";
    input.className = "hidden-input";
    input.parentNode.insertBefore(button, input.nextSibling);
    input.parentNode.insertBefore(chosen, button.nextSibling);
    input.addEventListener("change", function () {
      chosen.textContent = input.files.length ? input.files[0].name : "还没有选择";
    });
  });
})();

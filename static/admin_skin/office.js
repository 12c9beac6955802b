"use strict";
/* A box with suggestions (Select2) takes over the label of the field it stands for. */
(function () {
    function nameBoxes() {
        document.querySelectorAll("select.admin-autocomplete").forEach((field) => {
            const label = document.querySelector('label[for="' + field.id + '"]');
            const name = field.getAttribute("aria-label") || (label && label.textContent) || "";
            const box = document.getElementById("select2-" + field.id + "-container");
            if (box) {
                box.setAttribute("aria-label", name.replace(/[:：\s]+$/, ""));
            }
        });
    }
    /* Select2 and new rows of an inline appear at moments of their own. */
    document.addEventListener("DOMContentLoaded", () => {
        nameBoxes();
        new MutationObserver(nameBoxes).observe(document.body, { childList: true, subtree: true });
    });
})();

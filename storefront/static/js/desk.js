/* Conveniences of the staff desks; every act works without them. */
(() => {
  "use strict";

  // A refused scan comes back as a page of its own status: show it like any other.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([409, 422].includes(event.detail.xhr.status)) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  // Where two labels are scanned one after the other, Enter leads from the first field to the second.
  document.addEventListener("keydown", (event) => {
    const next = event.key === "Enter" && event.target instanceof HTMLInputElement && event.target.dataset.next;
    if (!next || !event.target.value) return;
    event.preventDefault();
    document.getElementById(next).focus();
  });

  // The board renews itself only while somebody can see it.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "board" && document.hidden) event.preventDefault();
  });
})();

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

  // On a narrow screen the bar of desks scrolls: begin with the one that is open.
  document.querySelector(".desk-head [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  // Scanners are faster than any network: labels queue up here while the page's list is on its way
  // (or its buttons are not alive yet), and what is half typed when it comes back stays in the field.
  const waiting = [];
  let busy = true;
  let half = "";
  const field = () => document.getElementById("scan");
  const add = () => document.querySelector("#work button[value=add][hx-post]");

  function take() {
    if (field().value.trim()) waiting.push(field().value.trim());
    field().value = "";
  }

  function send() {
    if (busy || !waiting.length || !add()) return;
    add().click();
  }

  // A finger on the button means what is typed as well; `send` leaves a label that is half typed in the field.
  document.addEventListener("click", (event) => {
    if (event.isTrusted && add() && event.target instanceof Element && event.target.closest("button") === add()) take();
  }, true);
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target !== add()) return;
    event.detail.formData.delete("scan");
    for (const label of waiting.splice(0)) event.detail.formData.append("scan", label);
    busy = true;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== field() || !add() || !window.htmx) return;
    event.preventDefault();
    const finish = document.querySelector("#work button[value=finish][autofocus]");
    if (!busy && !waiting.length && !field().value.trim()) return finish?.click();
    take();
    send();
  });

  document.addEventListener("htmx:beforeSwap", () => { half = field()?.value ?? ""; });
  document.addEventListener("htmx:afterSwap", () => {
    if (!half || !field()) return;
    field().value = half;
    field().focus();
  });
  function free() {
    busy = false;
    send();
  }
  document.addEventListener("htmx:load", (event) => { if (event.target === document.body) free(); });
  document.addEventListener("htmx:afterSettle", (event) => { if (event.target.id === "work") free(); });
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(failure, free);

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

/* Conveniences on top of pages that work without any script. */
(() => {
  "use strict";
  const root = document.documentElement;
  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const found = event.target instanceof Element && event.target.closest(selector);
      if (found) act(found, event);
    });

  // Light, dark or as the device says: at once, and remembered in the same cookie the server reads.
  on("click", "[data-theme-choice]", (link, event) => {
    event.preventDefault();
    const choice = link.dataset.themeChoice;
    const age = choice === "auto" ? 0 : 31536000;
    document.cookie = `theme=${choice}; Path=/; Max-Age=${age}; SameSite=Lax`;
    if (choice === "auto") delete root.dataset.theme;
    else root.dataset.theme = choice;
    for (const other of document.querySelectorAll("[data-theme-choice]")) {
      if (other === link) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
    }
  });

  // A second press of a submit button while the first is on its way does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => event.submitter?.setAttribute("aria-disabled", "true"));
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
    }
  });

  // Selects that stand alone submit themselves; their button is for pages without a script.
  on("change", "[data-submits]", (control) => control.form.requestSubmit());
  on("click", "[data-print]", () => print());
  on("click", "[data-copy]", async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    say(button.dataset.copied || button.textContent);
  });
  for (const shown of document.querySelectorAll("[data-needs-script]")) shown.hidden = false;
  for (const spare of document.querySelectorAll("[data-no-script]")) spare.hidden = true;

  // Spoken to screen readers, seen by nobody.
  function say(text) {
    const live = document.getElementById("live");
    if (live) live.textContent = text;
  }

  // When the page around them is renewed, what was opened stays open, and what was clicked stays under the hand.
  let opened = [];
  let clicked = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    opened = [...document.querySelectorAll("details[open][id]")].map((fold) => fold.id);
    const spot = event.detail.requestConfig.triggeringEvent?.target;
    clicked = spot instanceof Element && spot.id ? { id: spot.id, top: spot.getBoundingClientRect().top } : null;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    const spot = clicked && document.getElementById(clicked.id);
    if (spot) scrollBy({ top: spot.getBoundingClientRect().top - clicked.top, behavior: "instant" });
    const news = event.target.querySelector("[data-say]");
    if (news) say(news.textContent.trim());
  });

  // A fragment that could not be fetched: say so instead of doing nothing.
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, () => {
      const box = document.getElementById("trouble");
      if (box) box.hidden = false;
    });
  }
  document.addEventListener("htmx:afterOnLoad", () => {
    const box = document.getElementById("trouble");
    if (box) box.hidden = true;
  });
})();

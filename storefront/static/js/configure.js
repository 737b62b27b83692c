/* The configurator asks at every click; without this script its buttons ask. */
(() => {
  "use strict";
  let focusNext = "";

  function ask(form, submitter, event) {
    const values = submitter?.name ? { [submitter.name]: submitter.value } : {};
    let target = "#configurator";
    let swap = "outerHTML";
    if (submitter && (submitter.name === "why" || submitter.name === "want")) {
      const [group, option] = submitter.value.split(":");
      const panel = document.getElementById(`why-${group}-${option}`);
      if (submitter.name === "why" && (!panel || panel.childElementCount)) return close(submitter);
      target = `#${CSS.escape(panel.id)}`;
      swap = "innerHTML";
    }
    if (submitter?.name === "do") focusNext = { undo: "redo", redo: "undo" }[submitter.value] || "";
    if (submitter?.name === "take") focusNext = submitter.value.replace(":", "-");
    return htmx.ajax("GET", form.getAttribute("action"), { source: form, target, swap, values, event });
  }

  // The reason is open already, or is not wanted any more: fold it, and go back to the button that opened it.
  function close(button) {
    const panel = button.closest(".because") || document.getElementById(button.getAttribute("aria-controls"));
    const opener = document.querySelector(`.why[aria-controls="${CSS.escape(panel.id)}"]`);
    panel.replaceChildren();
    opener?.setAttribute("aria-expanded", "false");
    opener?.focus();
  }

  const choices = (control) => (control?.form?.id === "choices" ? control.form : null);

  document.addEventListener("change", (event) => {
    const form = choices(event.target);
    if (form && !event.target.closest("[data-quiet]")) ask(form, null, event);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "choices" || !window.htmx) return;
    event.preventDefault();
    ask(event.target, event.submitter, event);
  });

  // What is looked for in a long group is looked for while it is typed.
  let typing = 0;
  document.addEventListener("input", (event) => {
    const form = choices(event.target);
    if (!form || event.target.type !== "search") return;
    clearTimeout(typing);
    typing = setTimeout(() => ask(form, null, event), 250);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (event.target instanceof Element && event.target.matches("input:not([type=radio], [type=checkbox]), textarea")) return;
    const button = document.getElementById(event.shiftKey ? "redo" : "undo");
    if (!button) return;
    event.preventDefault();
    if (!button.disabled) ask(button.form, button, event);
  });

  // A budget that cannot be read is an answer too: the page comes back with what to do.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 422 && event.detail.target.id === "configurator") {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const panel = event.detail.target;
    if (panel.classList.contains("because")) {
      document.querySelector(`.why[aria-controls="${CSS.escape(panel.id)}"]`)?.setAttribute("aria-expanded", "true");
      panel.querySelector("button")?.focus({ preventScroll: true });
      return;
    }
    for (const spare of document.querySelectorAll("[data-no-script]")) spare.hidden = true;
    const lost = document.activeElement === document.body;
    if (focusNext && (lost || !/^(un|re)do$/.test(focusNext))) document.getElementById(focusNext)?.focus();
    else if (lost) document.getElementById("summary")?.focus({ preventScroll: true });
    focusNext = "";
    follow();
  });

  // Which part of the machine is being looked at.
  let watcher;
  function follow() {
    watcher?.disconnect();
    const links = new Map([...document.querySelectorAll(".way a")].map((link) => [link.hash.slice(1), link]));
    watcher = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          for (const [id, link] of links) {
            if (id === entry.target.id) link.setAttribute("aria-current", "step");
            else link.removeAttribute("aria-current");
          }
        }
      },
      { rootMargin: "-20% 0px -75% 0px" },
    );
    for (const part of document.querySelectorAll(".part")) watcher.observe(part);
  }
  follow();
})();

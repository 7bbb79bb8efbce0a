/* Staff pages by keyboard, and a warning before the session ends. Only adds: each page works without.
   An element says its key itself: data-key="n" on a link or button is pressed, on a form or section it
   takes the focus into it. data-keys on this script's tag is "off" for staff who switched single keys off. */
(() => {
  "use strict";
  const own = document.currentScript.dataset;
  const singleKeys = own.keys === "on";
  const find = (selector, within = document) => within.querySelector(selector);
  const shown = element => element.checkVisibility() && !element.disabled;
  const make = (tag, text, attributes = {}) => {
    const element = Object.assign(document.createElement(tag), { textContent: text });
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  // --- elements with a key
  const keyed = () => [...document.querySelectorAll("[data-key]")].filter(element => {
    const folded = element.closest("details:not([open])");
    return shown(folded ? find("summary", folded) : element);
  });
  const isPressed = element => element.matches("a[href], button, summary");
  const CONTROLS = "input:not([type=hidden]), select, textarea, button, a[href]";
  const focusInto = element => {
    for (let fold = element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    const first = element.matches(CONTROLS) ? element
      : find("input[type=radio]:checked", element) || [...element.querySelectorAll(CONTROLS)].find(shown);
    element.scrollIntoView({ block: "nearest" });
    (first || element).focus();
  };
  const act = key => {
    const element = keyed().find(each => each.dataset.key === key);
    if (!element) return false;
    if (isPressed(element)) element.click(); else focusInto(element);
    return true;
  };

  // --- rows of a list
  const rows = () => [...document.querySelectorAll("#result_list tbody tr:not(.peek-row)")].filter(shown);
  const linkOf = row => find("a.row", row) || find("th a[href], td a[href]", row);
  let here = null;
  const goTo = row => {
    if (!row) return;
    if (here) here.classList.remove("here");
    here = row;
    row.classList.add("here");
    linkOf(row)?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const step = by => {
    const all = rows(), focused = document.activeElement.closest?.("#result_list tbody tr");
    const at = all.indexOf(all.includes(focused) ? focused : here);
    if (all.length) goTo(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]);
    return all.length > 0;
  };
  const open = () => {
    const link = here && linkOf(here);
    link?.click();
    return Boolean(link);
  };

  // --- a row's preview in place, and whether the list has changed. Both are fragments of HTML from this site
  const fragment = async address => {
    const answer = await fetch(address, { redirect: "error" }).catch(() => null);
    if (answer?.status !== 200) return null;
    return document.adoptNode(new DOMParser().parseFromString(await answer.text(), "text/html").body);
  };
  const preview = async link => {
    const row = link.closest("tr"), next = row.nextElementSibling;
    const isOpen = next?.classList.contains("peek-row");
    link.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) return next.remove();
    const body = await fragment(link.href + (link.search ? "&" : "?") + "part");
    const part = body && find(".peeked", body);
    if (!part) return location.assign(link.href);
    const cell = make("td", "", { colspan: row.cells.length }), line = make("tr", "", { class: "peek-row" });
    cell.append(part);
    line.append(cell);
    row.after(line);
  };
  document.addEventListener("click", event => {
    const link = event.target.closest?.("a[data-preview]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    preview(link);
  });
  const peek = () => {
    const link = here && find("a[data-preview]", here);
    link?.click();
    return Boolean(link);
  };
  const note = find("#list-changed[data-changed]");
  if (note) {
    const timer = setInterval(async () => {
      if (document.hidden) return;
      const body = await fragment(note.dataset.changed);
      if (!body) return;
      note.replaceChildren(...body.childNodes);
      note.hidden = false;
      clearInterval(timer);
    }, 60_000);
  }

  // --- a digit chooses among the buttons that have the focus; elsewhere in the form of a decision, the urgency
  const digit = number => {
    const focused = document.activeElement, form = focused.closest?.("form");
    const name = focused.type === "radio" ? focused.name : "urgency";
    const choice = form && [...form.querySelectorAll(`input[type=radio][name="${CSS.escape(name)}"]`)][number - 1];
    if (!choice || choice.disabled) return false;
    choice.focus();
    choice.click();
    return true;
  };

  // --- help
  const PLAIN = [["j  k", "Next and previous row", () => rows().length], ["o", "Open the row", () => rows().length],
    ["p", "Preview the row, and close the preview", () => find("a[data-preview]")],
    ["w", "What happens now", () => find("#decide [name=outcome]")],
    ["1 – 9", "Choose among the buttons that have the focus", () => find("form input[type=radio]")]];
  const ALWAYS = [["Ctrl Enter", "Send the form that you are in"], ["Esc", "Leave a field, close this panel"],
    ["?", "This panel"]];
  const places = Object.keys(own).filter(name => /^go[A-Z]$/.test(name));
  const nameOf = element => element.dataset.keyName || element.getAttribute("aria-label")
    || (isPressed(element) ? element.textContent : find("h2, h3, legend, label", element)?.textContent || "")
      .replace(/\s+/g, " ").trim();
  const help = () => {
    find("#key-help")?.remove();
    const panel = make("dialog", "", { id: "key-help", "aria-labelledby": "key-title" });
    const list = make("dl", "");
    const line = (key, name) => list.append(make("dt", key), make("dd", name));
    for (const [key, name, there] of PLAIN) if (there()) line(key, name);
    for (const element of keyed()) line(element.dataset.key, nameOf(element));
    for (const name of places) line(`g ${name.slice(2).toLowerCase()}`, own[`name${name.slice(2)}`]);
    for (const [key, name] of ALWAYS) line(key, name);
    const close = make("button", "Close", { type: "button", class: "button" });
    close.addEventListener("click", () => panel.close());
    const foot = make("p", "", { class: "actions" });
    foot.append(close, make("a", "Switch single keys off", { href: own.settings }));
    panel.append(make("h2", "Keys of this page", { id: "key-title" }), list, foot);
    panel.addEventListener("close", () => panel.remove());
    document.body.append(panel);
    panel.showModal();
    return true;
  };

  // --- keys
  const TYPING = "input:not([type=radio], [type=checkbox], [type=button], [type=submit]), textarea, select, [contenteditable]";
  const whatNow = () => {
    const choices = [...document.querySelectorAll("#decide [name=outcome]")];
    if (choices.length) focusInto(choices.find(each => each.checked) || choices[0]);
    return choices.length > 0;
  };
  const BUILT_IN = { w: whatNow, j: () => step(1), k: () => step(-1), o: open, p: peek, "?": help };
  let afterG = 0;
  const single = event => {
    const key = event.key;
    if (Date.now() - afterG < 1500) {
      afterG = 0;
      const to = own[`go${key.toUpperCase()}`];
      if (to) location.assign(to);
      return Boolean(to);
    }
    if (event.repeat && !"jk".includes(key)) return false;
    if (key === "g" && places.length) {
      afterG = Date.now();
      return true;
    }
    if (/^[1-9]$/.test(key)) return digit(Number(key));
    return BUILT_IN[key] ? BUILT_IN[key]() : act(key);
  };
  document.addEventListener("keydown", event => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const target = event.target;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = target.closest("form");
      if (form?.method === "post" && !event.repeat) {
        event.preventDefault();
        form.requestSubmit(find("button:not([type=button]), input[type=submit]", form));
      }
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && target.matches(TYPING) && !find("dialog[open]")) return void target.blur();
    if (!singleKeys || event.key.length !== 1 || target.closest(TYPING) || find("dialog[open]")) return;
    if (single(event)) event.preventDefault();
  });

  // --- the focus is kept when a form brings the same page back, and the row when one comes back to the list
  const KEPT = "desk-focus", ROW = "desk-row";
  document.addEventListener("submit", event => {
    const kept = { path: location.pathname, action: event.target.action, name: document.activeElement.name || "" };
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  });
  document.addEventListener("click", event => {
    const row = event.target.closest?.("#result_list tbody tr");
    if (row && event.target.closest("a[href]")) sessionStorage.setItem(ROW, linkOf(row).pathname);
  });
  const restore = () => {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
    sessionStorage.removeItem(KEPT);
    if (location.hash || find("[autofocus]")) return;
    const wrong = find("[aria-invalid=true]");
    if (wrong) return void wrong.focus();
    const row = rows().find(each => linkOf(each)?.pathname === sessionStorage.getItem(ROW));
    if (row) return void goTo(row);
    if (kept?.path !== location.pathname) return;
    const form = [...document.forms].find(each => each.action === kept.action && shown(each));
    const control = form && kept.name && form.elements.namedItem(kept.name);
    (control instanceof HTMLElement ? control : form ? find(CONTROLS, form) : find("#content-start"))?.focus({ preventScroll: true });
  };
  restore();

  // --- two minutes before the session ends
  const WARN = 120_000, ENDS = "desk-ends";
  let ends = Date.now() + Number(own.ends) * 1000;
  const tell = () => localStorage.setItem(ENDS, String(ends));
  const clock = at => new Date(at).toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit", hour12: false });
  const stay = async () => {
    const body = new URLSearchParams({ csrfmiddlewaretoken: find("[name=csrfmiddlewaretoken]")?.value || "" });
    const answer = await fetch(own.stay, { method: "POST", body, redirect: "error" }).catch(() => null);
    if (answer?.ok) {
      ends = Date.now() + (await answer.json()).seconds * 1000;
      tell();
    }
    watch();
  };
  const watch = () => {
    const left = ends - Date.now(), state = left > WARN ? "" : left > 0 ? "soon" : "over";
    const bar = find("#session-bar");
    if ((bar?.dataset.state || "") === state) return;
    bar?.remove();
    if (!state) return;
    const words = state === "soon" ? `You will be signed out at ${clock(ends)}. What you type is kept for you.`
      : "You are signed out. Press the button of your form, or sign in again: what you typed is kept for you.";
    const fresh = make("div", "", { id: "session-bar", role: "status", "data-state": state });
    fresh.append(make("span", words));
    if (state === "soon") {
      const button = make("button", "Stay signed in", { type: "button", class: "button" });
      button.addEventListener("click", stay);
      fresh.append(button);
    }
    document.body.append(fresh);
  };
  if (own.ends) {
    tell();
    addEventListener("storage", event => {
      if (event.key !== ENDS) return;
      ends = Number(event.newValue);
      watch();
    });
    setInterval(watch, 5000);
    watch();
  }
})();

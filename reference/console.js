// The consoles: what a reader fills in is shown, sent and answered.
"use strict";

const BASE_URL = new URL(".", location.href).href.replace(/\/$/, ""); // right under a stage or a base path, too
const PATIENCE = 35_000; // milliseconds; API Gateway itself answers after 30 s
const NO_TOKEN = "Enter it first. To see what is answered without one, press Send again.";
const operations = [...document.querySelectorAll(".operation")];

// Showing it

function element(name, text, className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

function show(operation, language) {
  const form = operation.querySelector("form");
  const { method, address } = read(form);
  const pieces = address.map((piece, at) => (at % 2 ? element("b", piece) : piece));
  operation.querySelector(".request").replaceChildren(`${method} `, ...pieces);
  // Credentials are written last, each in place of a character that no text has, so that they can be masked.
  const secrets = credentials(form).map((field) => field.value);
  const isEmpty = secrets.every((secret) => !secret);
  const credential = (field) => {
    const at = credentials(form).indexOf(field);
    return field.value ? String.fromCharCode(0xfdd0 + at) : isEmpty && at === 0 && field.dataset.example;
  };
  const sample = SAMPLES[language](read(form, { examples: true, credential }));
  for (const code of operation.querySelectorAll(".sample code")) {
    const parts = sample.split(/([\ufdd0-\ufdef])/);
    code.replaceChildren(
      ...parts.map((part, at) => (at % 2 ? element("span", secrets[part.charCodeAt(0) - 0xfdd0], "secret") : part)),
    );
  }
}

function showAll() {
  const language = document.querySelector(".language:checked").value;
  operations.forEach((operation) => show(operation, language));
}

// Sending it

// Takes back what was said of a field.
function takeBack(field) {
  field.removeAttribute("aria-invalid");
  document.getElementById(`${field.id}-error`).textContent = "";
}

// Tells beside each field what is wrong with it, and goes to the first one. Returns whether nothing is.
function isComplete(form) {
  const wrong = [];
  form.querySelectorAll("[aria-invalid]").forEach(takeBack);
  const complain = (field, text) => {
    document.getElementById(`${field.id}-error`).textContent = text;
    field.setAttribute("aria-invalid", "true");
    wrong.push(field);
  };
  if (!baseUrl(form.elements.baseUrl.value.trim())) {
    complain(form.elements.baseUrl, "The base URL must begin with https:// or http://.");
  }
  const [token] = credentials(form);
  if (token && credentials(form).every((field) => !field.value) && !form.dataset.asked) {
    complain(token, NO_TOKEN);
    form.dataset.asked = "yes";
  }
  for (const field of credentials(form)) {
    if (!/^[\w.~+/=-]*$/.test(field.value)) {
      complain(field, "It has characters that no token has.");
    }
  }
  for (const field of form.querySelectorAll("[required]")) {
    if (!field.value.trim()) {
      complain(field, `${field.labels[0].textContent} is required.`);
    } else if (field.name.startsWith("path:") && /^\.{1,2}$/.test(field.value.trim())) {
      complain(field, "Browsers take it for a step in the path, and would send another request.");
    }
  }
  wrong[0]?.focus();
  return wrong.length === 0;
}

async function send(form) {
  const dialog = form.closest("dialog");
  const status = dialog.querySelector("[role=status]");
  const answer = dialog.querySelector(".answer");
  if ("sending" in form.dataset || !isComplete(form)) {
    return;
  }
  const { method, url, headers, body } = read(form);
  form.dataset.sending = "yes";
  unanswered = null;
  status.textContent = "Sending…";
  status.className = "";
  answer.replaceChildren(element("p", `${method} ${url}`, "sent"));
  const started = performance.now();
  try {
    const response = await fetch(url, {
      method,
      headers,
      body: body || undefined,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
    const text = await response.text();
    const documented = form.closest(".operation").querySelector(`[data-status="${response.status}"]`);
    const phrase = documented?.dataset.phrase ?? response.statusText;
    status.textContent = `${response.status} ${phrase} in ${Math.round(performance.now() - started)} ms`;
    status.className = response.ok ? "good" : "bad";
    answer.append(
      element("p", documented?.querySelector(".meaning").textContent ?? "This status is not documented."),
      element("pre", indented(text)),
      headerList(response.headers),
    );
  } catch {
    unanswered = { status, origin: new URL(url).origin };
    explain();
  }
  delete form.dataset.sending;
  // On a narrow screen the answer stands below the request, out of sight.
  dialog.querySelector(".response").scrollIntoView();
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function headerList(headers) {
  const details = document.createElement("details");
  const list = document.createElement("dl");
  details.append(element("summary", "Response Headers"), list);
  for (const [name, value] of headers) {
    list.append(element("dt", name), element("dd", value));
  }
  return details;
}

// Where no answer came: why, in words that stay. The browser may tell of its policy before or after the failure.

const refused = new Set(); // origins that the Content-Security-Policy does not allow
let unanswered = null;

function explain() {
  const { status, origin } = unanswered;
  status.className = "bad";
  status.textContent = refused.has(origin)
    ? `Nothing was sent: this deployment does not allow its page to speak to ${origin}. ` +
      "Whoever deploys it can add that origin to its parameter ReferenceServers."
    : `No answer from ${origin}. It may be out of reach from here, or allow no requests from pages of ` +
      `${location.origin}: the parameter CorsOrigins of that deployment names those it allows.`;
}

document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
  if (effectiveDirective === "connect-src") {
    refused.add(new URL(blockedURI).origin);
    if (unanswered) {
      explain();
    }
  }
});

// What the reader does

document.addEventListener("input", ({ target }) => {
  if (target.matches('[name^="credential:"]')) {
    const clean = cleaned(target.value);
    if (clean !== target.value) {
      target.value = clean;
    }
    delete target.form.dataset.asked;
  }
  // Base URL, credentials, language: the same in every console.
  if (target.matches('[name^="credential:"], [name="baseUrl"]')) {
    document.getElementsByName(target.name).forEach((field) => (field.value = target.value));
  } else if (target.matches(".language")) {
    document.querySelectorAll(".language").forEach((radio) => (radio.checked = radio.value === target.value));
  } else if (target.matches(".show")) {
    document.querySelectorAll(".show").forEach((box) => (box.checked = target.checked));
    document.documentElement.classList.toggle("reveal", target.checked);
  }
  if (target.hasAttribute("aria-invalid")) {
    takeBack(target);
  }
  showAll();
});

document.addEventListener("click", ({ target }) => {
  if (target.matches(".try")) {
    target.closest(".operation").querySelector("dialog").showModal();
  } else if (target.matches(".close")) {
    target.closest("dialog").close();
  } else if (target.matches(".example")) {
    const field = document.getElementById(target.dataset.for);
    field.value = target.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (target.matches(".copy")) {
    navigator.clipboard.writeText(target.closest(".sample").querySelector("code").textContent);
    target.textContent = "Copied";
    setTimeout(() => (target.textContent = "Copy"), 2000);
  } else if (target.matches("nav a")) {
    target.closest("nav").hidePopover();
  }
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target);
});

document.addEventListener("keydown", ({ key, ctrlKey, metaKey, target }) => {
  if (key === "Enter" && (ctrlKey || metaKey)) {
    target.form?.requestSubmit();
  }
});

document.getElementsByName("baseUrl").forEach((field) => (field.value = BASE_URL));
showAll();

// The request that a console's form makes. What is shown is what is sent: preview, samples and fetch are given the same.
"use strict";

const encode = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

// Takes off what comes along when a token is copied: its header's name, "Bearer", quotes, line breaks, spaces.
const cleaned = (text) =>
  text.replace(/[\s"'`\\]/g, "").replace(/^(-H)?(authorization:|x-api-key:)?(bearer(?!_))?/i, "");

// Returns the base URL that a text means, or nothing if it means none.
function baseUrl(text) {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) {
    const url = new URL(text);
    return url.origin + url.pathname.replace(/\/+$/, "").replace(/['$()!*]/g, encode);
  }
}

// Returns what stands in a form's fields for one place of a request, such as "query": lists of texts by name.
// A field that is empty is not there. With `examples`, one that is required has its example.
function filledIn(form, place, examples) {
  const found = {};
  for (const field of form.querySelectorAll(`[name^="${place}:"]`)) {
    const text = field.type === "checkbox" && !field.checked ? "" : field.value.trim();
    const value = text || (examples && field.dataset.example);
    if (value) {
      (found[field.name.slice(place.length + 1)] ??= []).push(value);
    }
  }
  return found;
}

// Returns the request that a form makes as it stands. Its `address` is the URL in pieces, each second one filled in.
function read(form, { examples = false, credential = (field) => field.value } = {}) {
  const { method, path, type } = form.dataset;
  const pairs = (place) =>
    Object.entries(filledIn(form, place, examples))
      .map(([name, texts]) => `${encode(name)}=${texts.map(encode).join(",")}`)
      .join("&");
  const ids = filledIn(form, "path", examples);
  const query = pairs("query");
  const base = form.elements.baseUrl.value.trim();
  const address = path.split(/\{(\w+)\}/).map((piece, at) => (at % 2 ? encodedId(ids, piece) : piece));
  address[0] = (baseUrl(base) ?? base) + address[0];
  if (query) {
    address.push(`${address.pop()}?`, query);
  }
  const headers = Object.entries(filledIn(form, "header", examples)).map(([name, [text]]) => [name, text]);
  for (const field of credentials(form)) {
    const value = credential(field);
    if (value) {
      headers.push([field.dataset.header, field.dataset.prefix + value]);
    }
  }
  return {
    method,
    address,
    url: address.join(""),
    headers: type ? [["Content-Type", type], ...headers] : headers,
    body: pairs("form") || (form.elements.body?.value ?? ""),
    quiet: "quiet" in form.dataset,
  };
}

const encodedId = (ids, name) => (ids[name] ? encode(ids[name][0]) : `{${name}}`);
const credentials = (form) => [...form.querySelectorAll('[name^="credential:"]')];

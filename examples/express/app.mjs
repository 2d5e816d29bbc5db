// A weather service that asks about each API key by introspection (RFC 7662), and keeps no answer.
import express from "express";
import * as oauth from "openid-client";

const { CLIENT_ID, CLIENT_SECRET, ISSUER, INTROSPECTION_ENDPOINT, PORT = "8000" } = process.env;
const local = new URL(ISSUER).protocol === "http:" ? { execute: [oauth.allowInsecureRequests] } : {};
const client = await oauth.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, local);
client.timeout = 5; // seconds
let own; // a token of our own, got by client credentials

async function introspect(key) {
  if (!own || own.expiresIn() < 60) own = await oauth.clientCredentialsGrant(client, { scope: "api-keys:introspect" });
  const form = new URLSearchParams({ token: key });
  const answer = await oauth.fetchProtectedResource(client, own.access_token, new URL(INTROSPECTION_ENDPOINT), "POST", form);
  if (!answer.ok) throw new Error(`no verdict: ${answer.status}`);
  return answer.json();
}

// Lets a request with a good key through; refuses if it is not good, and if nobody can tell.
async function guard(request, response, next) {
  const [, key] = /^Bearer (\S+)$/i.exec(request.get("authorization") ?? "") ?? [];
  const verdict = key ? await introspect(key).catch(() => null) : { active: false };
  if (verdict === null) return response.status(503).json({ error: "API keys cannot be checked now" });
  if (verdict.active !== true) return response.status(401).set("WWW-Authenticate", "Bearer").json({ error: "This API key is not good" });
  request.key = verdict;
  return next();
}

express()
  .get("/forecast", guard, (request, response) => response.json({ forecast: "sunny", for: request.key.client_id }))
  .listen(Number(PORT), "127.0.0.1");

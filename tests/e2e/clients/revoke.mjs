// Revoke an API key with JavaScript's fetch: node revoke.mjs URL TOKEN
const [url, token] = process.argv.slice(2);
const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
const response = await fetch(url, { method: "DELETE", headers });
console.log(await response.json());

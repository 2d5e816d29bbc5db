// better-auth with its API-key plugin, as its documentation has it, on its store in memory.
// https://better-auth.com/docs/plugins/api-key
//   usage: better_auth.mjs check|revoke|access
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { betterAuth } from "better-auth";
import { apiKey } from "@better-auth/api-key";

const CHECKERS = 16;
const RUNS = 5;
const AROUND = 200; // milliseconds of checks before a revoke, and after it
const WARM_UP = 50;

const auth = betterAuth({
  baseURL: "http://localhost:3000",
  secret: randomBytes(32).toString("base64"),
  emailAndPassword: { enabled: true },
  logger: { disabled: true },
  telemetry: { enabled: false },
  plugins: [apiKey()],
});

const { user } = await auth.api.signUpEmail({
  body: { email: "a@example.com", password: randomBytes(16).toString("hex"), name: "A" },
});

async function fresh() {
  // Its limit of ten checks a day is on, as by default, and high enough not to be reached.
  const body = { name: "benchmark", userId: user.id, rateLimitMax: 1e9 };
  const { id, key } = await auth.api.createApiKey({ body });
  return {
    check: async () => (await auth.api.verifyApiKey({ body: { key } })).valid,
    revoke: async () =>
      !(await auth.api.updateApiKey({ body: { keyId: id, userId: user.id, enabled: false } })).enabled,
  };
}

async function repeat(work) {
  for (let times = 0; times < WARM_UP; times += 1) if (!(await work())) throw new Error("not done");
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    const times = Number(line);
    const before = process.cpuUsage();
    for (let done = 0; done < times; done += 1) if (!(await work())) throw new Error("not done");
    const spent = process.cpuUsage(before);
    console.log((spent.user + spent.system) / 1e6 / times);
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function loseAccess() {
  const { check, revoke } = await fresh();
  const checks = [];
  let over = false;
  const checker = async () => {
    while (!over) {
      const started = performance.now();
      const accepted = await check();
      checks.push([started, performance.now(), accepted]);
      await pause(0);
    }
  };
  const checkers = Array.from({ length: CHECKERS }, checker);
  await pause(AROUND);
  await revoke();
  const revoked = performance.now();
  await pause(AROUND);
  over = true;
  await Promise.all(checkers);
  const accepted = checks.filter(([, , good]) => good);
  return {
    last: (Math.max(...accepted.map(([, ended]) => ended)) - revoked) / 1000,
    late: accepted.filter(([started]) => started > revoked).length,
    checks: checks.length,
  };
}

const mode = process.argv[2];
if (mode === "access") {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await loseAccess());
  console.log(JSON.stringify(runs));
} else {
  await repeat((await fresh())[mode]);
}

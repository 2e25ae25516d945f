/** Notices reach a real HTTP server: signed, and again after a failure. */

import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { realNotifier } from "../../../src/platform/webhook.ts";

interface Seen {
  readonly body: string;
  readonly signature: string | undefined;
  readonly title: string | undefined;
}

let server: Server | null = null;
afterEach(() => server?.close());

async function listen(statuses: number[]): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const { title, "x-mgpu-signature": signature } = request.headers;
      seen.push({ body, signature: signature?.toString(), title: title?.toString() });
      response.writeHead(statuses.shift() ?? 200, { location: "/elsewhere" }).end();
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, seen };
}

function log() {
  const warnings: unknown[] = [];
  const ignore = () => {};
  return {
    warnings,
    log: { debug: ignore, info: ignore, error: ignore, warn: (...all: unknown[]) => warnings.push(all) },
  };
}

test("a notice is signed, and sent again until it is taken", async () => {
  const { url, seen } = await listen([500, 503, 200]);
  const { log: own, warnings } = log();
  realNotifier("geheim", own, [1, 1, 1]).send({
    url,
    type: "text/plain",
    body: "it ended",
    headers: { title: "Job 7" },
  });
  await expect.poll(() => seen.length).toBe(3);
  const signature = `sha256=${createHmac("sha256", "geheim").update("it ended").digest("hex")}`;
  for (const one of seen) expect(one).toEqual({ body: "it ended", signature, title: "Job 7" });
  expect(warnings).toEqual([]);
});

test("what is never taken, or sent elsewhere, is in the log without its secret path", async () => {
  const { url, seen } = await listen([302, 302]);
  const { log: own, warnings } = log();
  realNotifier("", own, [1]).send({ url, type: "text/plain", body: "x", headers: {} });
  await expect.poll(() => warnings.length).toBe(1);
  expect(seen).toHaveLength(2);
  expect(seen[0]?.signature).toBeUndefined();
  expect(JSON.stringify(warnings)).not.toContain("/hook");
});

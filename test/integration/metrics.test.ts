/** What others see of a cluster: the endpoint for Prometheus and probes, health, metrics, notices to web addresses. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const heard: { path: string | undefined; body: string }[] = [];
const hook = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (chunk: string) => {
    body += chunk;
  });
  request.on("end", () => {
    heard.push({ path: request.url, body });
    response.end();
  });
});
await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${(hook.address() as AddressInfo).port}`;

/** A port that was free a moment ago. */
const spare = createServer();
await new Promise<void>((resolve) => spare.listen(0, "127.0.0.1", resolve));
const { port } = spare.address() as AddressInfo;
await new Promise((resolve) => spare.close(resolve));

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_METRICS_LISTEN: String(port) } });
afterAll(async () => {
  hook.close();
  await cluster.stop();
});

test("health, metrics and notices of a job", async () => {
  const nobody = await cluster.run("mgpu", ["health"]);
  expect(nobody).toMatchObject({ code: 2, stdout: expect.stringMatching(/^unreachable\n/) });
  const ran = await cluster.run("mgpu-srun", [
    "--notify",
    `${address}/json,slack:${address}/slack`,
    "sh",
    "-c",
    "exit 3",
  ]);
  expect(ran.code).toBe(3);
  await cluster.until(async () => heard.length === 2, "both addresses hear of the end");
  const bodyOf = (path: string) => JSON.parse(heard.find((one) => one.path === path)?.body ?? "{}");
  expect(bodyOf("/json")).toMatchObject({ event: "Failed", job: { name: "sh", state: "FAILED", exitCode: 3 } });
  expect(bodyOf("/slack").text).toContain("Failed");
  expect(await cluster.ok("mgpu", ["health"])).toBe("healthy\n");
  expect(JSON.parse(await cluster.ok("mgpu", ["metrics", "--json"]))).toMatchObject({ jobs: 1, states: { FAILED: 1 } });
  const page = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(page.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await page.text()).toContain('\nmgpu_jobs_ended_total{state="FAILED"} 1\n');
  const probe = await fetch(`http://127.0.0.1:${port}/health`);
  expect([probe.status, await probe.text()]).toEqual([200, "ok\n"]);
  const wrong = await cluster.run("mgpu-srun", ["--notify", "me@lab", "true"]);
  expect(wrong.stderr).toContain("--notify: expected web addresses");
});

/** What the terminal UI changes, on a real cluster: each asks first, No is the default, a refusal is shown. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";
import { openTui, type Tui } from "./support/tui.ts";

const cluster = new TestCluster({ env: { MGPU_MIN_JOB_AGE: "2" } });
beforeAll(() => cluster.startSeparate());
afterAll(() => cluster.stop());

const field = async (id: number, name: RegExp): Promise<string> =>
  name.exec(await cluster.ok("mgpu-scontrol", ["show", "job", String(id)]))?.[1] ?? "";

/** Types, waits for the question, says yes, waits for the answer. */
async function does({ terminal, sees }: Tui, keys: string, question: RegExp, answer: RegExp): Promise<void> {
  terminal.type(keys);
  await sees(question);
  terminal.type("y");
  await sees(answer);
}

test("jobs: hold, release, priority, nice, time limit, signal, requeue, cancel; Enter says no", async () => {
  const whole = ["--gpus=4", "-t", "60"];
  const blocker = await cluster.submit("#!/bin/sh\nsleep 600\n", ["-J", "blocker", ...whole]);
  await cluster.untilState(blocker, "RUNNING");
  const waiting = await cluster.submit("#!/bin/sh\nsleep 600\n", ["-J", "waiter", ...whole]);
  // A signal is for the steps of a job, as scancel sends it.
  const step = "trap 'echo got usr1 > usr1' USR1; echo up > up; while :; do sleep 0.1; done";
  const trapping = `#!/bin/sh\nmgpu-srun sh -c "${step}"\n`;
  const running = await cluster.submit(trapping, ["-J", "runner", "-t", "60"]);
  await cluster.until(() => cluster.has("up"), "the script traps");
  const tui = openTui(cluster, ["mgpu", "top"], { columns: 120, rows: 30 });
  const { terminal, sees } = tui;
  await sees(/runner .* R /);
  terminal.type(`:requeue ${blocker}\r`);
  await sees(/Requeue job \d+ \(blocker, \w+\)\? \[y\/N\]/);
  terminal.type("\r");
  await sees(/nothing was changed/);
  expect(await cluster.state(blocker)).toBe("RUNNING");

  await does(tui, "/waiter\rH", /Hold job \d+/, /: held/);
  expect(await field(waiting, /Priority=(\d+)/)).toBe("0");
  await does(tui, "U", /Release job/, /: released/);
  expect(Number(await field(waiting, /Priority=(\d+)/))).toBeGreaterThan(0);
  await does(tui, "P777\r", /Set the priority of job \d+ .* to 777\?/, /: changed/);
  expect(await field(waiting, /Priority=(\d+)/)).toBe("777");
  await does(tui, "p5\r", /Set the nice value of job/, /: changed/);
  expect(await field(waiting, /Nice=(-?\d+)/)).toBe("5");
  await does(tui, "T2:00:00\r", /Set the time limit of job \d+ .* to 2:00:00\?/, /: changed/);
  expect(await field(waiting, /TimeLimit=(\S+)/)).toBe("02:00:00");
  terminal.type("\x1b");
  await sees(/\/3 /);
  terminal.type("/runner\r");
  await sees(/1\/1/);
  await does(tui, "CUSR1\r", /Send USR1 to job \d+/, /: signalled/);
  await cluster.until(() => cluster.has("usr1"), "the signal arrived");

  // What is refused is said in the status line.
  terminal.type("U");
  await sees(/Release job/);
  terminal.type("y");
  await sees(/\d+: .*(not|already|no longer|running|invalid)/i);
  await does(tui, `:cancel ${running},${waiting}\r`, /Cancel 2 jobs\?/, /2 jobs: told to end/);
  await cluster.untilState(running, "CANCELLED");
  await does(tui, `:requeue ${blocker}\r`, /Requeue job/, /: requeued/);
  expect(await field(blocker, /Restarts=(\d+)/)).toBe("1");
  await does(tui, `:cancel ${blocker}\r`, /Cancel job/, /told to end/);
  await cluster.until(async () => (await cluster.queue("%i")).length === 0, "nothing is in the queue");
  terminal.type("q");
  expect((await terminal.ended).code).toBe(0);
});

test("nodes and GPUs: paused, let in, drained, resumed; news of others are pushed; --read-only changes nothing", async () => {
  const tui = openTui(cluster, ["mgpu", "top"], { columns: 100, rows: 30 });
  const { terminal, sees } = tui;
  await sees(/by id/);
  terminal.type("2");
  await sees(/WHOSE[\s\S]*n1 +idle .*\[\.\.\.\.\][\s\S]*GPUs of n1/);
  await does(
    tui,
    "\x1b[Cpfan\r",
    /Keep new jobs off GPU 1 of node n1, reason "fan"\? \[y\/N\]/,
    /\[\.=\.\.\][\s\S]*paused: fan/,
  );
  expect(await cluster.ok("mgpu", ["gpu", "list"])).toMatch(/n1 +1 .*paused: fan/);
  await does(tui, "p", /Let new jobs onto GPU 1 of node n1\?/, /\[\.\.\.\.\]/);
  await does(tui, "dpower\r", /Drain node n1, reason "power"\?/, /n1 +drain .*power/);
  await does(tui, "u", /Resume node n1\?/, /n1 +idle/);
  await cluster.ok("mgpu-scontrol", ["update", "nodename=n1", "state=drain", "reason=by hand"]);
  await sees(/n1 +drain .*by hand/);
  await cluster.ok("mgpu-scontrol", ["update", "nodename=n1", "state=resume"]);
  await sees(/n1 +idle/);
  terminal.type("u");
  await sees(/Resume node n1\?/);
  terminal.type("y");
  await sees(/neither down nor drained/);
  terminal.type("qq");
  await terminal.ended;

  const reader = openTui(cluster, ["mgpu", "top", "--read-only"]);
  await reader.sees(/read-only/);
  reader.terminal.type("2d");
  await reader.sees(/nothing is changed here/);
  reader.terminal.type("p");
  await reader.sees(/nothing is changed here/);
  reader.terminal.type("\x03");
  await reader.terminal.ended;
});

test("history: a job that left the queue's memory is found at its time, with its details and its output", async () => {
  const id = await cluster.submit("#!/bin/sh\necho words of yore\nsleep 3\n", ["-J", "yore"]);
  await cluster.untilState(id, "RUNNING");
  const at = Math.floor(Date.now() / 1000) + 1;
  await cluster.until(
    async () => !(await cluster.ok("mgpu-squeue", ["-h", "-t", "all", "-o", "%i"])).split("\n").includes(String(id)),
    "the job has left the queue's memory",
  );
  const { terminal, sees } = openTui(cluster, ["mgpu", "top"], { columns: 100, rows: 30 });
  await sees(/by id/);
  terminal.type(`:at uts${at}\r`);
  await sees(/1 running[\s\S]*yore .* R /);
  terminal.type("\r");
  await sees(/How it ended[\s\S]*What it used[\s\S]*CPU Efficiency[\s\S]*JobName=yore/);
  terminal.type("l");
  await sees(/words of yore/);
  terminal.type("qq[");
  await sees(/1 d ago +0 running/);
  terminal.type(`:log ${id}\r`);
  await sees(/words of yore/);
  terminal.type(":job 99999\r");
  await sees(/there never was a job 99999/);
  terminal.type("\x03");
  await terminal.ended;
});

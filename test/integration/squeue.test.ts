/** mgpu-squeue against a real queue: one job runs on all GPUs, others wait, some are over. */

import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HeldJob, TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
const user = userInfo().username;
let held: HeldJob;
let waiting: number[];
let good: number;
let bad: number;

beforeAll(async () => {
  const sbatch = (...args: string[]) => cluster.ok("mgpu-sbatch", ["--parsable", "-o", "none", ...args]);
  good = Number(await sbatch("-J", "good", "--wrap", "true"));
  bad = Number(await sbatch("-J", "bad", "--wrap", "exit 3"));
  await cluster.untilState(good, "COMPLETED");
  await cluster.untilState(bad, "FAILED");
  held = await cluster.hold(["-J", "holder", "--gpus", "4", "-c", "2", "--time", "1:30:00"]);
  waiting = [];
  for (const name of ["wait-a", "wait-b"]) {
    const more = ["--gpus=2", "-n", "3", "--mem=2G", "--time=1-00:00:00"];
    waiting.push(Number(await sbatch("-J", name, ...more, "--wrap", "true")));
  }
  await cluster.until(async () => (await cluster.queue("%r", "-j", `${waiting[0]}`))[0] === "Resources", "a job waits");
});

afterAll(async () => {
  await held.release();
  await cluster.stop();
});

const squeue = (...args: string[]) => cluster.run("mgpu-squeue", args);
const lines = async (...args: string[]) => (await cluster.ok("mgpu-squeue", args)).split("\n").slice(0, -1);
const ids = () => [held.jobId, ...waiting];

describe("tables", () => {
  test("the usual one, with Slurm's columns", async () => {
    const [header, ...rows] = await lines();
    expect(header).toBe("             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)");
    const [first, second, third] = rows.map((row) => row.replace(/\d+:\d\d/, "0:00"));
    const id = (job: number | undefined) => `${job}`.padStart(18);
    const who = user.slice(0, 8).padStart(8);
    expect(first).toBe(`${id(held.jobId)}      main   holder ${who}  R       0:00      1 n1`);
    expect(second).toBe(`${id(waiting[0])}      main   wait-a ${who} PD       0:00      1 (Resources)`);
    expect(third).toMatch(/wait-b .* PD {7}0:00 {6}1 \((Priority|Resources)\)$/);
    expect(rows).toHaveLength(3);
  });

  test("-l: the date, long states, limits", async () => {
    const [date, header, first, second] = await lines("-l");
    expect(date).toMatch(/^[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \d{4}$/);
    expect(header).toBe(
      "             JOBID PARTITION     NAME     USER    STATE       TIME TIME_LIMI  NODES NODELIST(REASON)",
    );
    expect(first).toMatch(/ RUNNING +\d+:\d\d +1:30:00 +1 n1$/);
    expect(second).toMatch(/ PENDING +0:00 1-00:00:00 +1 \(Resources\)$/);
  });

  test("-h leaves the header out; an empty queue is just the header", async () => {
    expect(await lines("-h", "-o", "%i")).toEqual(ids().map(String));
    expect(await lines("-u", "nobody")).toHaveLength(1);
    expect(await lines("-h", "-u", "nobody")).toEqual([]);
  });

  test("-o: letters, widths, sides, and text between", async () => {
    const job = `${waiting[0]}`;
    const show = async (format: string) => (await lines("-h", "-j", job, "-o", format))[0];
    expect(await show("%i|%j|%T|%u|%P|%C|%D|%l|%m|%b|%r")).toBe(
      `${job}|wait-a|PENDING|${user}|main|3|1|1-00:00:00|2G|gres/gpu:2|Resources`,
    );
    expect(await show("[%.8j][%8j][%3j][%.3j]")).toBe("[  wait-a][wait-a  ][wai][wai]");
    expect(await show(" %A^^^%t")).toBe(` ${job}^^^PD`);
    expect(await lines("-j", job, "-o", "%i %A %j %T %M %l %L %D %C %N %R %r %S %V %b %Q")).toMatchObject([
      "JOBID JOBID NAME STATE TIME TIME_LIMIT TIME_LEFT NODES CPUS NODELIST NODELIST(REASON) REASON " +
        "START_TIME SUBMIT_TIME TRES_PER_NODE PRIORITY",
      expect.stringMatching(
        /^\d+ \d+ wait-a PENDING 0:00 1-00:00:00 1-00:00:00 1 3 {2}\(Resources\) Resources \d{4}-\S+ \d{4}-/,
      ),
    ]);
  });

  test("a running job: where, on what, since when, for how long", async () => {
    const [row = ""] = await lines("-h", "-j", `${held.jobId}`, "-o", "%N %B %C %b %S %e %L");
    const [node, host, cpus, gpus, start = "", end = "", left] = row.split(" ");
    expect([node, host, cpus, gpus]).toEqual(["n1", "n1", "2", "gres/gpu:4"]);
    expect(Date.parse(`${end}Z`) - Date.parse(`${start}Z`)).toBe(5_400_000);
    expect(left).toMatch(/^1:(30:00|29:\d\d)$/);
  });

  test("SQUEUE_FORMAT and the other variables", async () => {
    const env = { SQUEUE_FORMAT: "%j", SQUEUE_STATES: "PD" };
    expect(await cluster.ok("mgpu-squeue", ["-h"], { env })).toBe("wait-a\nwait-b\n");
    expect(await cluster.ok("mgpu-squeue", ["-h", "-o", "%i", "-t", "R"], { env })).toBe(`${held.jobId}\n`);
  });
});

describe("filters", () => {
  test("-t: live jobs only unless others are asked for", async () => {
    const show = (...args: string[]) => lines("-h", "-o", "%i %t", ...args);
    expect(await show("-t", "all")).toEqual(
      expect.arrayContaining([`${good} CD`, `${bad} F`, `${held.jobId} R`, `${waiting[0]} PD`]),
    );
    expect(await show("-t", "PD")).toEqual(waiting.map((id) => `${id} PD`));
    expect(await show("-t", "running,f")).toEqual([`${bad} F`, `${held.jobId} R`]);
    expect(await show("--states=RQ,SE,RH,CF")).toEqual([]);
  });

  test("-u, --me, -n, -p", async () => {
    const show = (...args: string[]) => lines("-h", "-o", "%i", ...args);
    expect(await show("-u", user)).toEqual(ids().map(String));
    expect(await show("-u", `${process.getuid?.()}`)).toEqual(ids().map(String));
    expect(await show("-u", `nobody,${user}`)).toEqual(ids().map(String));
    expect(await show("--me")).toEqual(ids().map(String));
    expect(await show("-n", "wait-b,holder")).toEqual([`${held.jobId}`, `${waiting[1]}`]);
    expect(await show("-p", "main")).toEqual(ids().map(String));
    expect(await show("-p", "other")).toEqual([]);
  });

  test("-j: several ids; those that are over show up with -t all only", async () => {
    const show = (...args: string[]) => lines("-h", "-o", "%i", ...args);
    expect(await show("-j", waiting.join(","))).toEqual(waiting.map(String));
    expect(await show(`-j${waiting[0]}`, "-j", `${waiting[1]}`)).toEqual(waiting.map(String));
    expect(await show("--jobs", `${good},${held.jobId}`)).toEqual([`${held.jobId}`]);
    expect(await show("-t", "all", "--jobs", `${good},${held.jobId}`)).toEqual([good, held.jobId].map(String));
  });

  test("one unknown id is an error, unknown ids among several are left out, a job that is over is known", async () => {
    const unknown = { code: 1, stdout: "", stderr: "slurm_load_jobs error: Invalid job id specified\n" };
    expect(await squeue("-h", "-j", "99999")).toEqual({ ...unknown, signal: null });
    expect(await squeue("-h", "-t", "all", "-o", "%i", "-j", "99999")).toMatchObject(unknown);
    expect(await squeue("-h", "-o", "%i", "-j", `99999,${held.jobId}`)).toMatchObject({
      ...{ code: 0, stderr: "", stdout: `${held.jobId}\n` },
    });
    expect(await squeue("-h", "-j", "99999,99999")).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await squeue("-h", "-j", `${good}`)).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });
});

describe("the command line", () => {
  test.each<[string, () => string[], () => string[]]>([
    ["clusters", () => ["-ho%i", "-tPD"], () => waiting.map(String)],
    ["a cluster with a value behind", () => ["-aho", "%i"], () => ids().map(String)],
    ["attached values", () => [`-hu${user}`, "-o%j"], () => ["holder", "wait-a", "wait-b"]],
    ["unique prefixes", () => ["--nohead", `--job=${waiting[0]}`, "--form=%j"], () => ["wait-a"]],
    ["prefixes with a value behind", () => ["--nohe", "--state", "R", "--form", "%j"], () => ["holder"]],
    ["--array, -r, -a change nothing", () => ["-r", "-a", "-ho%j", "-t", "R"], () => ["holder"]],
  ])("%s", async (_, args, expected) => {
    expect(await lines(...args())).toEqual(expected());
  });

  test("-S orders", async () => {
    expect(await lines("-h", "-o", "%i", "-S", "-i")).toEqual(ids().reverse().map(String));
    expect(await lines("-h", "-o", "%j", "--sort=-T,j")).toEqual(["holder", "wait-a", "wait-b"]);
  });

  test.each<[string, string[], string]>([
    ["an option that is none", ["--frob"], "mgpu-squeue: error: unrecognized option '--frob'\n"],
    ["a state that is none", ["-t", "SLEEPING"], "mgpu-squeue: error: Invalid job state specified: SLEEPING\n"],
    ["an id that is none", ["-j", "twelve"], "mgpu-squeue: error: Invalid job id: twelve\n"],
    ["a word too many", ["word"], "mgpu-squeue: error: Unrecognized option: word\n"],
    ["a prefix of several", ["--j"], "mgpu-squeue: error: option '--j' is ambiguous; possibilities: '--jobs' '--json'"],
  ])("%s ends with exit code 1 and says so", async (_, args, message) => {
    const { code, stdout, stderr } = await squeue(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.slice(0, message.length)).toBe(message);
  });
});

describe("--json", () => {
  test("has Slurm's keys and shapes", async () => {
    const { jobs, meta, errors } = JSON.parse(await cluster.ok("mgpu-squeue", ["-t", "all", "--json"]));
    expect(errors).toEqual([]);
    expect(meta).toMatchObject({ slurm: expect.anything() });
    const find = (id: number | undefined) => jobs.find((job: { job_id: number }) => job.job_id === id);
    expect(find(held.jobId)).toMatchObject({
      job_id: held.jobId,
      name: "holder",
      job_state: ["RUNNING"],
      partition: "main",
      user_name: user,
      user_id: process.getuid?.(),
      current_working_directory: cluster.work,
      nodes: "n1",
      node_count: { set: true, infinite: false, number: 1 },
      cpus: { set: true, infinite: false, number: 2 },
      time_limit: { set: true, infinite: false, number: 90 },
      start_time: { set: true, infinite: false, number: expect.any(Number) },
      tres_per_job: "gres/gpu:4",
      job_resources: { nodes: { list: "n1", allocation: [{ name: "n1", cpus: { used: 2 } }] } },
      gres_detail: ["gpu:4(IDX:0-3)"],
      het_job_id: { set: true, number: 0 },
    });
    expect(find(waiting[0])).toMatchObject({
      job_state: ["PENDING"],
      state_reason: "Resources",
      job_resources: null,
      nodes: "",
      memory_per_node: { set: true, number: 2048 },
      state_description: expect.stringContaining("GPU"),
    });
    expect(find(good)).toMatchObject({ job_state: ["COMPLETED"], exit_code: { status: ["SUCCESS"] } });
    expect(find(bad)).toMatchObject({ job_state: ["FAILED"], exit_code: { return_code: { number: 3 } } });
  });

  test("takes filters, and is parseable when nothing is found", async () => {
    const of = async (...args: string[]) => JSON.parse(await cluster.ok("mgpu-squeue", [...args, "--json"])).jobs;
    expect((await of("-t", "PD")).map((job: { job_id: number }) => job.job_id)).toEqual(waiting);
    expect(await of("-n", "no-such-name")).toEqual([]);
  });
});

/** Sessions as steps of the jobs that Slurm tells of, and their files. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jobsOf } from "../../../src/backend/slurm/jobs.ts";
import type { SlurmPorts } from "../../../src/backend/slurm/ports.ts";
import {
  attachPointOf,
  forgetAwaited,
  forgetEnded,
  sessionOf,
  sessionsIn,
  slurmMeant,
  withSessions,
} from "../../../src/backend/slurm/sessions.ts";
import { sessionsOf } from "../../../src/cli/attach/sessions.ts";
import { formatSession, type SessionPlace } from "../../../src/config/slurm-sessions.ts";

const FIXTURE = join(import.meta.dirname, "../../fixtures/slurm-json/squeue-22.05.json");
const JOBS = jobsOf(JSON.parse(readFileSync(FIXTURE, "utf8")));
const RUNNING = JOBS.find(({ job }) => job.id === 1003) ?? expect.unreachable();
const { cluster } = RUNNING;

/** A folder with these sessions of jobs, each of its own unless said, `nowMs` after they began. */
function folderWith(places: readonly Partial<SessionPlace>[], isOwnJob = true, nowMs = 0) {
  const order = { argv: ["bash", "-l"], columns: 80, rows: 24, isOwnJob };
  const files = new Map<string, string>([["/home/slurm-sessions/half.json", '{"order":']]);
  for (const [index, over] of places.entries()) {
    const place = {
      cluster,
      jobId: 1003,
      attempt: RUNNING.job.attempt,
      stepId: 0,
      node: "n1",
      socket: "/s",
      token: "t",
    };
    const text = formatSession({ order, place: { ...place, startAt: 0, ...over } });
    files.set(`/home/slurm-sessions/${index}.json`, text).set(`/home/slurm-sessions/${index}.log`, "");
  }
  const ports = {
    ...{ places: { home: "/home" }, user: { uid: 7, gid: 7, name: "u" }, clock: { now: () => nowMs } },
    sessionFiles: {
      list: () => [...files.keys()].map((path) => path.slice("/home/slurm-sessions/".length)),
      read: (path: string) => files.get(path) ?? null,
      remove: (path: string) => void files.delete(path),
    },
  } as unknown as SlurmPorts;
  return { ports, files, sessions: sessionsIn(ports) };
}

test("a job that was made for its session is one with a terminal, and nothing else", () => {
  const { sessions, ports } = folderWith([{}]);
  const { job } = withSessions(RUNNING, sessions);
  expect(job.spec.kind).toBe("run");
  expect(sessionsOf(job)).toEqual([
    { stepId: 0, size: { columns: 80, rows: 24 }, argv: ["bash", "-l"], startAt: 0, node: "n1" },
  ]);
  const session = sessionOf(sessions, RUNNING, null) ?? expect.unreachable();
  const key = { jobId: 1003, attempt: RUNNING.job.attempt, stepId: 0 };
  expect(attachPointOf(session, ports)).toEqual({ key, node: "n1", socket: "/s", owner: 7, token: "t", tasks: [0] });
});

test("a session within a job is one more step of it, found by its number alone", () => {
  const { sessions } = folderWith([{ stepId: 4 }], false);
  const { job } = withSessions(RUNNING, sessions);
  expect(job.spec.kind).toBe("batch");
  expect(sessionsOf(job)).toMatchObject([{ stepId: 4, argv: ["bash", "-l"] }]);
  expect(sessionOf(sessions, RUNNING, null)).toBeUndefined();
  expect(sessionOf(sessions, RUNNING, 4)?.place.stepId).toBe(4);
});

test("a session of another job, another cluster, or an earlier start of the job is not its own", () => {
  for (const over of [{ jobId: 9 }, { cluster: "other" }, { attempt: 9 }]) {
    const { sessions } = folderWith([over]);
    expect(withSessions(RUNNING, sessions)).toBe(RUNNING);
    expect(sessionOf(sessions, RUNNING, null)).toBeUndefined();
  }
  expect(sessionOf(folderWith([{ cluster: cluster.toUpperCase() }]).sessions, RUNNING, null)).toBeDefined();
});

test("files of sessions whose jobs are gone are removed, but none of another cluster's, nor a young one", () => {
  const places = [{}, { jobId: 9 }, { jobId: 9, cluster: "other" }, { jobId: 9, startAt: 1e9 }];
  const { ports, files, sessions } = folderWith(places, true, 1e9 + 1000);
  forgetEnded(sessions, JOBS, ports);
  const left = [...files.keys()].filter((path) => path.endsWith(".json")).map((path) => path.slice(-6, -5));
  expect(left).toEqual(["f", "0", "2", "3"]);
  expect(files.has("/home/slurm-sessions/1.log")).toBe(false);
});

test("files of sessions that wait for a job which is not there are removed: their clients were killed", () => {
  const slurm = slurmAt();
  const { ports, files } = folderWith([], true, 1e9);
  const wait = (name: string, over: object, place: object | null = null) => {
    const awaited = { slurm, since: 0, stepOf: null, ...over };
    const order = { argv: ["bash"], columns: 80, rows: 24, isOwnJob: true, awaited };
    files.set(`/home/slurm-sessions/${name}.json`, JSON.stringify({ order, place }));
  };
  wait("gone", {});
  wait("young", { since: 1e9 - 1000 });
  wait("other", { slurm: slurmAt({ bin: "/opt/bin" }) });
  wait("elsewhere", { slurm: slurmAt({ hostname: "login2" }) });
  wait("step", { stepOf: RUNNING.job.id });
  wait("unknown", { slurm: undefined });
  wait("lost", { stepOf: 99 });
  const own = JOBS.map((one) =>
    one === RUNNING
      ? {
          ...one,
          job: {
            ...one.job,
            spec: { ...one.job.spec, io: { ...one.job.spec.io, stdout: "/home/slurm-sessions/a%%b.log" } },
          },
        }
      : one,
  );
  wait("a%b", {});
  forgetAwaited(slurm, own, ports);
  const left = [...files.keys()].map((path) => path.replace(/.*\/|\.json$/g, "")).sort();
  expect(left).toEqual(["a%b", "elsewhere", "half", "other", "step", "unknown", "young"]);
});

test("which Slurm is meant is not said where Slurm chooses among several", () => {
  expect(slurmAt({ conf: "" }, { SLURM_CLUSTERS: "a,b" })).toBe("");
  expect(slurmAt({ conf: "" }, { SLURM_CONF: "/x" })).toBe(slurmAt({ conf: "/x" }));
});

/** The Slurm of a machine, whose commands are in that folder. */
function slurmAt({ conf = "/etc/slurm.conf", bin = "/usr/bin", hostname = "login1" } = {}, environment = {}): string {
  const slurm = { place: { conf, bin: "" }, ports: { hostname }, command: (name: string) => `${bin}/${name}` };
  return slurmMeant(slurm as unknown as Parameters<typeof slurmMeant>[0], environment);
}

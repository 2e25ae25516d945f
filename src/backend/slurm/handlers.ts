/** The procedures of mgpu's controller that ask for something, answered from what Slurm's commands say. */

import { RpcError } from "../../protocol/errors.ts";
import type { JobFilter, JobListRow } from "../../protocol/procedures.ts";
import type { AnyHandlers } from "../../rpc/types.ts";
import { LIVE_STATES } from "../../view/job-states.ts";
import { explain } from "./explain.ts";
import { configuredModels } from "./hand-over.ts";
import { recordsOf } from "./history.ts";
import type { SlurmJob } from "./jobs.ts";
import { liveUsage } from "./live-usage.ts";
import { selected } from "./select.ts";
import { forgetAwaited, forgetEnded, hasSessions, sessionsIn, slurmMeant, withSessions } from "./sessions.ts";
import { type Slurm, settingsOf } from "./slurm.ts";
import { changers } from "./steer.ts";
import { watchers } from "./watch.ts";

/** Rows a chunk, as the controller has it. */
const ROWS_A_CHUNK = 500;

/** All that Slurm can answer. */
export function slurmHandlers(slurm: Slurm): AnyHandlers {
  const { clock } = slurm.ports;
  const clusterName = async (): Promise<string> => (await settingsOf(slurm)).get("ClusterName") ?? "slurm";
  return {
    ...watchers(slurm),
    ...changers(slurm),
    ...listHandlers(slurm),
    async "jobs.history"({ filter, steps }, sink) {
      const records = await recordsOf(slurm, filter);
      const told = steps ? records : records.map((one) => ({ ...one, job: withoutSteps(one.job) }));
      for (let from = 0; from < told.length; from += ROWS_A_CHUNK) {
        await sink.send({ records: told.slice(from, from + ROWS_A_CHUNK) });
      }
      return { now: clock.now(), clusterName: await clusterName(), damaged: 0 };
    },
    async "job.explain"({ jobId }) {
      const [jobs, nodes] = await Promise.all([slurm.jobs(), slurm.nodes()]);
      const found = jobs.find(({ job }) => job.id === jobId) ?? jobs.find(({ job }) => job.array?.jobId === jobId);
      return { explanation: found ? explain(found, jobs, nodes) : null, now: clock.now() };
    },
    async "job.script"({ jobId }) {
      return {
        script: new TextEncoder().encode(await slurm.ask("scontrol", ["write", "batch_script", `${jobId}`, "-"])),
      };
    },
    async "job.output"({ path, from, bytes }) {
      // A centre's nodes and login machines have the same folders; what lies elsewhere only its node can read.
      return { window: await slurm.ports.files.window(path, from, bytes) } as never;
    },
    "step.usage": ({ jobId }) => liveUsage(slurm, jobId),
    async "models.list"() {
      const { models, otherwise } = configuredModels(slurm.ports);
      return { models: { ...models }, otherwise };
    },
    async "controller.status"() {
      const [jobs, nodes, settings] = await Promise.all([slurm.jobs(), slurm.nodes(), settingsOf(slurm)]);
      const count = (isMeant: (one: SlurmJob) => boolean): number => jobs.filter(isMeant).length;
      const version = settings.get("SLURM_VERSION") ?? "";
      const startedAt = Number(settings.get("BOOT_TIME")) * 1000 || 0;
      const controller = { daemon: "slurmctld", node: "", pid: 0, version, startedAt, state: "answers" };
      const daemons = nodes.map(({ name, state, inventory, startedAt: since }) => {
        return { daemon: "slurmd", node: name, pid: 0, version: inventory.version, startedAt: since, state };
      });
      const away = nodes.filter(({ connected }) => !connected).map(({ name, state }) => `node ${name} is ${state}`);
      return {
        clusterName: settings.get("ClusterName") ?? "slurm",
        stateFolder: settings.get("StateSaveLocation") ?? "",
        socket: `Slurm ${version}${slurm.place.conf === "" ? "" : ` (${slurm.place.conf})`}, as ${slurm.place.source} says`,
        daemons: [controller, ...daemons],
        jobs: {
          pending: count(({ job }) => job.state === "PENDING"),
          running: count(({ row }) => row.state !== "PENDING" && LIVE_STATES.includes(row.state)),
          ended: count(({ row }) => !LIVE_STATES.includes(row.state)),
        },
        problem: "",
        problems: away,
      };
    },
  };
}

function withoutSteps<J extends SlurmJob["job"]>(job: J): J {
  return job.state === "PENDING" ? job : { ...job, steps: [] };
}

type Listers = Pick<
  AnyHandlers,
  "jobs.list" | "jobs.get" | "nodes.list" | "partitions.list" | "reservations.list" | "licenses.list"
>;

function listHandlers(slurm: Slurm): Listers {
  const { clock } = slurm.ports;
  const meant = async (filter: JobFilter): Promise<SlurmJob[]> => selected(await slurm.jobs(), filter);
  return {
    async "jobs.list"({ filter, fields }, sink) {
      const rows = (await meant(filter)).map((one) => {
        const whole: Partial<JobListRow> = { ...one.details, ...one.row };
        return fields.map((field) => whole[field]);
      });
      for (let from = 0; from < rows.length; from += ROWS_A_CHUNK) {
        await sink.send({ rows: rows.slice(from, from + ROWS_A_CHUNK) });
      }
      return { now: clock.now() };
    },
    async "jobs.get"({ filter }, sink) {
      const sessions = sessionsIn(slurm.ports);
      if (hasSessions(slurm.ports)) {
        const known = await slurm.jobs();
        forgetEnded(sessions, known, slurm.ports);
        const meant = slurmMeant(slurm, slurm.ports.environment);
        if (meant !== "") forgetAwaited(meant, known, slurm.ports);
      }
      const jobs = (await meant(filter))
        .map((one) => withSessions(one, sessions))
        .map(({ job, row }) => ({ job, row }));
      for (let from = 0; from < jobs.length; from += ROWS_A_CHUNK) {
        await sink.send({ jobs: jobs.slice(from, from + ROWS_A_CHUNK) });
      }
      return { now: clock.now() };
    },
    async "nodes.list"() {
      return { nodes: [...(await slurm.nodes())], now: clock.now() };
    },
    "partitions.list": async () => elsewhere("mgpu-sinfo and mgpu-scontrol show partition tell of its partitions"),
    "reservations.list": async () =>
      elsewhere("mgpu-sinfo -T and mgpu-scontrol show reservation tell of its reservations"),
    "licenses.list": async () => elsewhere("mgpu-scontrol show licenses tells of its licenses"),
  };
}

/** An empty list would say that Slurm has none. @throws RpcError */
function elsewhere(where: string): never {
  throw new RpcError("DISABLED", `the cluster is Slurm: ${where}`);
}

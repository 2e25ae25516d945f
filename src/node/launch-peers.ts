/** How the tasks of a step find one another: torch's variables, and the address of the first task. Pure. */

import type { NodeLaunch } from "../protocol/procedures.ts";
import { isBatch, jobNumber, type NodePart, stepTasks } from "./launch-part.ts";

type Variables = Record<string, string>;

/** First port of MASTER_PORT: above what services use, below Linux's range for outgoing connections (32768). */
const MASTER_PORT_FIRST = 20_000;
const MASTER_PORTS = 10_000;

/** Between the ports of two steps of a job. A prime, so that thousands of steps differ from one another. */
const STEP_PORTS = 2503;

const LOOPBACK = "127.0.0.1";

/**
 * MASTER_PORT of a step: the same on all of its nodes, and another one for each of 10,000 jobs in a row. A batch
 * script has that of its first step; steps at the same time have different ones.
 */
export function masterPort({ jobId, stepId }: NodeLaunch["key"], offset = 0): number {
  const step = stepId === "batch" ? 0 : stepId;
  return MASTER_PORT_FIRST + ((offset + jobId + step * STEP_PORTS) % MASTER_PORTS);
}

/** MASTER_ADDR and MASTER_PORT. */
export function masterVariables(launch: NodeLaunch): Variables {
  const { key, portOffset } = launch;
  const port = masterPort({ ...key, jobId: jobNumber(launch) }, portOffset);
  return { MASTER_ADDR: masterAddress(launch), MASTER_PORT: String(port) };
}

/**
 * Where task 0 runs, as its peers reach it: the same text on all nodes. Nodes whose daemons share one machine (and its
 * network) reach one another without any name.
 */
export function masterAddress(launch: NodeLaunch): string {
  const { allocation, layout, hostnames, addresses, het } = launch;
  if (het?.whole) return wholeAddress(het.whole.nodes);
  // A script's own steps may run on any node of its job.
  const nodes = (isBatch(launch) ? allocation : layout).map((part) => part.node);
  const first = isBatch(launch) ? nodes[0] : layout.find((part) => part.tasks.includes(0))?.node;
  if (nodes.length < 2) return LOOPBACK;
  const index = (node: string): number => allocation.findIndex((one) => one.node === node);
  const hostOf = (node: string): string | undefined => hostnames?.[index(node)];
  const addressOf = (node: string): string => addresses?.[index(node)] ?? "";
  const hosts = new Set(nodes.map(hostOf));
  const isOneMachine = hosts.size === 1 && !hosts.has(undefined) && new Set(nodes.map(addressOf)).size === 1;
  if (isOneMachine) return LOOPBACK;
  const node = first ?? nodes[0] ?? LOOPBACK;
  return addressOf(node) || hostOf(node) || node;
}

/** The same of a step over several components: its first node has task 0. */
function wholeAddress(nodes: NonNullable<NonNullable<NodeLaunch["het"]>["whole"]>["nodes"]): string {
  const [first] = nodes;
  const isOneMachine = new Set(nodes.map(({ hostname, address }) => `${hostname} ${address}`)).size < 2;
  return isOneMachine || !first ? LOOPBACK : first.address || first.hostname || first.node;
}

/** torch's names of a task; a program that is one process alone must not think that it has peers. */
export function rankVariables(launch: NodeLaunch, part: NodePart, local: number): Variables {
  const world = stepTasks(launch);
  if (isBatch(launch) || world < 2) return {};
  return {
    RANK: String(part.tasks[local] ?? local),
    LOCAL_RANK: String(local),
    WORLD_SIZE: String(world),
    LOCAL_WORLD_SIZE: String(part.tasks.length),
    NODE_RANK: String(part.nodeId),
  };
}

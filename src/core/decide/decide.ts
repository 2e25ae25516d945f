/** decide(state, command, now): yes with events, no with a reason, or nothing to do. Pure; reads state, never writes it. */

import { assertNever } from "../../util/assert.ts";
import type { Command } from "../commands.ts";
import type { ClusterState } from "../state.ts";
import { decideAllocate } from "./allocate.ts";
import type { Decision } from "./decision.ts";
import {
  decideAddElasticQueue,
  decideChangeElasticNode,
  decideChangeElasticQueue,
  decideEndElasticNode,
  decideOrderElasticNode,
} from "./elastic.ts";
import { decideDropFeed, decidePutFeed, decideReadFeed, decideSubmitLine } from "./feed.ts";
import { decideConfigureLicenses } from "./licenses.ts";
import { decideMarkDown, decideRegister } from "./node.ts";
import { decideDeleteNodes, decideUpdateNodes } from "./operate.ts";
import { decideCreatePartition, decideDeletePartition, decideUpdatePartition } from "./partition.ts";
import { decideConfigurePartitions } from "./partition-config.ts";
import { decideChangePolicy } from "./policy.ts";
import { decidePreempt } from "./preempt.ts";
import { decideJobCleaned, decideStepEnded, decideStepLost, decideStepStarted } from "./report.ts";
import {
  decideCreateReservation,
  decideDeleteReservation,
  decideExpireReservation,
  decideUpdateReservation,
} from "./reservation.ts";
import {
  decideCancel,
  decideComplete,
  decideExpire,
  decideHold,
  decidePurge,
  decideRequeue,
  decideSignal,
  decideSuspend,
  decideUpdate,
} from "./steer.ts";
import { decideCancelStep, decideCreateStep, decideLimitStep } from "./step.ts";
import { decideSubmit } from "./submit.ts";
import { decideTimer } from "./timer.ts";

type Decider<C extends Command> = (state: ClusterState, command: C, now: number) => Decision;

const DECIDERS: { readonly [T in Command["type"]]: Decider<Extract<Command, { type: T }>> } = {
  "job.submit": decideSubmit,
  "job.cancel": decideCancel,
  "job.expire": decideExpire,
  "job.complete": decideComplete,
  "job.signal": decideSignal,
  "job.hold": decideHold,
  "job.requeue": decideRequeue,
  "job.suspend": decideSuspend,
  "job.preempt": decidePreempt,
  "job.update": decideUpdate,
  "job.allocate": decideAllocate,
  "job.purge": decidePurge,
  "step.create": decideCreateStep,
  "step.cancel": decideCancelStep,
  "step.limit": decideLimitStep,
  "report.stepStarted": decideStepStarted,
  "report.stepEnded": decideStepEnded,
  "report.stepLost": decideStepLost,
  "report.jobCleaned": decideJobCleaned,
  "node.register": decideRegister,
  "node.markDown": decideMarkDown,
  "nodes.update": decideUpdateNodes,
  "nodes.delete": decideDeleteNodes,
  "partition.create": decideCreatePartition,
  "partition.update": decideUpdatePartition,
  "partitions.configure": decideConfigurePartitions,
  "partition.delete": decideDeletePartition,
  "reservation.create": decideCreateReservation,
  "reservation.update": decideUpdateReservation,
  "reservation.delete": decideDeleteReservation,
  "reservation.expire": decideExpireReservation,
  "timer.fire": decideTimer,
  "policy.change": decideChangePolicy,
  "licenses.configure": decideConfigureLicenses,
  "feed.submit": decideSubmitLine,
  "feed.put": decidePutFeed,
  "feed.read": decideReadFeed,
  "feed.drop": decideDropFeed,
  "elastic.add": decideAddElasticQueue,
  "elastic.change": decideChangeElasticQueue,
  "elastic.order": decideOrderElasticNode,
  "elastic.node": decideChangeElasticNode,
  "elastic.over": decideEndElasticNode,
};

/**
 * Answers one command.
 * @param now milliseconds since 1970
 */
export function decide(state: ClusterState, command: Command, now: number): Decision {
  const decider = DECIDERS[command.type] as Decider<Command> | undefined;
  return decider ? decider(state, command, now) : assertNever(command as never);
}

/** The part of the table of procedures that shows and changes what the cluster is made of. */

import * as v from "valibot";
import * as e from "./entity-schemas.ts";
import * as s from "./schemas.ts";

const nothing = v.object({});

export const ENTITY_PROCEDURES = {
  "partitions.list": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({ partitions: v.array(e.partitionRow), now: s.count }),
  },
  "reservations.list": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({ reservations: v.array(e.reservationRow), now: s.count }),
  },
  "licenses.list": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({ licenses: v.array(e.licenseRow), now: s.count }),
  },
  /** An operator changes what the cluster is made of: nodes, partitions, reservations. All of it, or nothing. */
  "cluster.change": {
    on: "controller",
    kind: "unary",
    params: v.object({ change: e.clusterChange }),
    /** What the changed or made thing is called, where it was given a name. */
    result: v.object({ name: s.text }),
  },
  /** GPUs that each model needs, as `--gpus` takes them; `otherwise`: any other model. */
  "models.list": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({ models: v.record(s.text, s.text), otherwise: v.nullable(s.text) }),
  },
  /** The controller reads its configuration again; lines say what changed, what needs a restart, and what is wrong. */
  "controller.reconfigure": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({ changed: v.array(s.text), refused: v.array(s.text), problems: v.array(s.text) }),
  },
  /** Slurm's configuration keys with what is true of this cluster, in Slurm's order. */
  "config.show": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({ values: v.array(v.object({ key: s.name, value: s.text })), now: s.count }),
  },
} as const;

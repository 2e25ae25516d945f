/**
 * Which tasks of a step run on which node. Source: `--distribution` in Slurm's manual of srun.
 *
 * First every node gets a number of tasks, then the tasks are numbered: node by node for block, in turns for cyclic
 * and plane, as listed for arbitrary.
 */

/** How tasks are dealt out. `arbitrary` names the node of each task by its position among the nodes. */
export type TaskDistribution =
  | "block"
  | "cyclic"
  | { readonly plane: number }
  | { readonly arbitrary: readonly number[] };

export interface LayoutOptions {
  /** Nodes may take more tasks than their capacity once all are full. Default: no. */
  readonly overcommit?: boolean;
  /**
   * For block: fill node after node (`Pack`, the default here), or give each node a task in turn and number them node
   * by node (`NoPack`; what Slurm's steps do unless told otherwise: 4 tasks on 3 nodes of 2 are 2, 1 and 1).
   */
  readonly pack?: boolean;
}

/** The tasks of each node, ascending, in the order of the nodes. */
export type TaskLayout = readonly (readonly number[])[];

/**
 * Deals out tasks 0 to `tasks - 1`.
 * @param capacities how many tasks each node can take
 * @returns `null` if the tasks do not fit, or an arbitrary list is too short or names a node that there is not
 */
export function layoutTasks(
  capacities: readonly number[],
  tasks: number,
  distribution: TaskDistribution,
  { overcommit = false, pack = true }: LayoutOptions = {},
): TaskLayout | null {
  const room = capacities.reduce((sum, capacity) => sum + capacity, 0);
  if ((tasks > room && !overcommit) || (tasks > 0 && capacities.length === 0)) return null;
  if (distribution === "block") {
    return numbered(pack ? packed(capacities, tasks) : lengths(inTurns(capacities, tasks, 1)));
  }
  if (distribution === "cyclic") return inTurns(capacities, tasks, 1);
  if ("plane" in distribution) return inTurns(capacities, tasks, Math.max(1, distribution.plane));
  return listed(capacities, tasks, distribution.arbitrary, overcommit);
}

/** Counts that fill node after node; what is left when all are full is dealt out evenly. */
function packed(capacities: readonly number[], tasks: number): number[] {
  let left = tasks;
  const counts = capacities.map((capacity) => {
    const count = Math.min(capacity, left);
    left -= count;
    return count;
  });
  const each = Math.floor(left / Math.max(1, counts.length));
  return counts.map((count, node) => count + each + (node < left - each * counts.length ? 1 : 0));
}

/** Tasks one after the other, `plane` of them a node, to the nodes that have room; to all once none has. */
function inTurns(capacities: readonly number[], tasks: number, plane: number): number[][] {
  const layout: number[][] = capacities.map(() => []);
  let next = 0;
  const turn = (node: number, room: number): void => {
    const end = Math.min(tasks, next + Math.min(plane, room));
    while (next < end) layout[node]?.push(next++);
  };
  let open = [...capacities.keys()].filter((node) => (capacities[node] ?? 0) > 0);
  while (next < tasks && open.length > 0) {
    for (const node of open) turn(node, (capacities[node] ?? 0) - (layout[node]?.length ?? 0));
    open = open.filter((node) => (layout[node]?.length ?? 0) < (capacities[node] ?? 0));
  }
  while (next < tasks) for (const node of capacities.keys()) turn(node, plane);
  return layout;
}

function listed(
  capacities: readonly number[],
  tasks: number,
  nodes: readonly number[],
  overcommit: boolean,
): number[][] | null {
  const layout: number[][] = capacities.map(() => []);
  for (let task = 0; task < tasks; task++) {
    const node = nodes[task] ?? -1;
    const own = layout[node];
    if (own === undefined || (!overcommit && own.length >= (capacities[node] ?? 0))) return null;
    own.push(task);
  }
  return layout;
}

function lengths(layout: TaskLayout): number[] {
  return layout.map((tasks) => tasks.length);
}

/** Tasks numbered node by node. */
function numbered(counts: readonly number[]): number[][] {
  let next = 0;
  return counts.map((count) => Array.from({ length: count }, () => next++));
}

/** Keys of the nodes and their GPUs. Pure. */

import { ask, deedFor, promptFor } from "./deeds.ts";
import { type Action, GPU_MAPS, type Model, nodeRows, type Step, scrolled } from "./model.ts";
import { movement } from "./movement.ts";
import { withFilter } from "./update-keys.ts";

/** One key. */
export function nodesKey(model: Model, key: string): Step {
  const moved = movement(key, model, nodeRows(model));
  if (moved !== null) return only(moveToNode(model, model.nodeCursor + moved));
  if (key === "v") {
    const at = GPU_MAPS.indexOf(model.gpuMap) + 1;
    return only({ ...model, gpuMap: GPU_MAPS[at % GPU_MAPS.length] ?? "jobs" });
  }
  const node = model.nodes[model.nodeCursor];
  if (!node) return only(model);
  switch (key) {
    case "<":
    case ">":
    case "left":
    case "right": {
      const last = node.inventory.gpus.length - 1;
      const gpuCursor = Math.max(0, Math.min(last, model.gpuCursor + (key === "right" || key === ">" ? 1 : -1)));
      return only({ ...model, gpuCursor });
    }
    case "d":
    case "D":
      return askWhy(model, { type: "drain", reason: "" });
    case "u":
    case "U":
      return ask(model, deedFor(model, { type: "resume" }, [], node.name));
    case "p":
      return pauseKey(model);
    case "enter":
      return only(withFilter({ ...model, view: "jobs", back: [] }, `node:${node.name}`));
    default:
      return only(model);
  }
}

/** The cursor at a node, and the list scrolled so that it is seen. */
function moveToNode(model: Model, position: number): Model {
  const nodeCursor = Math.max(0, Math.min(model.nodes.length - 1, position));
  const gpus = model.nodes[nodeCursor]?.inventory.gpus.length ?? 0;
  return {
    ...model,
    nodeCursor,
    gpuCursor: Math.max(0, Math.min(model.gpuCursor, gpus - 1)),
    nodeTop: scrolled(model.nodeTop, nodeCursor, model.nodes.length, nodeRows(model)),
  };
}

/** Pauses the GPU under the cursor, or lets jobs onto it again. */
function pauseKey(model: Model): Step {
  const node = model.nodes[model.nodeCursor];
  const gpu = node?.inventory.gpus[model.gpuCursor];
  if (!node || !gpu) return told(model, "there is no GPU to pause");
  const isPaused = node.pausedGpus?.[gpu.index] !== undefined;
  if (isPaused) return ask(model, deedFor(model, { type: "unpause" }, [], node.name, [gpu.index]));
  return askWhy(model, { type: "pause", reason: "" }, [gpu.index]);
}

/** What is done to a node with a reason, which is typed first. */
function askWhy(model: Model, action: Extract<Action, { reason: string }>, gpus: readonly number[] = []): Step {
  const deed = deedFor(model, action, [], model.nodes[model.nodeCursor]?.name, gpus);
  return model.isReadOnly ? ask(model, deed) : only({ ...model, prompt: promptFor(action.type, deed) });
}

function only(model: Model): Step {
  return { model, effects: [] };
}

function told(model: Model, text: string): Step {
  return { model: { ...model, message: { text, isError: true } }, effects: [] };
}

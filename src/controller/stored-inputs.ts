/** Scripts and environments of what is submitted: on disk before anything refers to them. */

import type { ControllerContext } from "./context.ts";
import { storageError, storageProblem } from "./storage-error.ts";

type Ports = Pick<ControllerContext, "blobs" | "log">;

/** Stores a batch script; answers with its digest. Rejects with STORAGE. */
export function storeScript(ports: Ports, script: Uint8Array): Promise<string> {
  return store(ports, script);
}

/** Of what arrives again and again. */
const encoded = new WeakMap<object, Uint8Array>();

/** An environment as it is stored. Bytes of the same object are the same, too. */
export function encodeEnvironment(environment: Readonly<Record<string, string>>): Uint8Array {
  const known = encoded.get(environment);
  if (known) return known;
  const bytes = new TextEncoder().encode(JSON.stringify(environment));
  encoded.set(environment, bytes);
  return bytes;
}

const decoded = new WeakMap<Uint8Array, Record<string, string>>();

/** The inverse. Of the same bytes it is the same object, which nobody can change: a thousand jobs of one shell share it. */
export function decodeEnvironment(bytes: Uint8Array): Record<string, string> {
  const known = decoded.get(bytes);
  if (known) return known;
  const environment = Object.freeze(JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string>);
  decoded.set(bytes, environment);
  return environment;
}

/** Stores an encoded environment; answers with its digest. The same bytes again cost next to nothing. Rejects with STORAGE. */
export function storeEncoded(ports: Ports, environment: Uint8Array): Promise<string> {
  return store(ports, environment);
}

/** Stores an environment; answers with its digest. Rejects with STORAGE. */
export function storeEnvironment(ports: Ports, environment: Readonly<Record<string, string>>): Promise<string> {
  return store(ports, encodeEnvironment(environment));
}

async function store({ blobs, log }: Ports, data: Uint8Array): Promise<string> {
  try {
    return await blobs.put(data);
  } catch (error) {
    log.error("a script or environment can't be stored", { error: String(error) });
    throw storageError(storageProblem(error));
  }
}

/**
 * Which cluster a command speaks to: the one that -M names, else MGPU_BACKEND or MGPU_CONTROLLER, else the user's default
 * profile, else the configuration's `backend`, else mgpu on this machine.
 */

import { BACKEND_VARIABLE, BACKENDS, isBackend } from "../config/backends.ts";
import { configPlaces } from "../config/config-places.ts";
import { SOCKET_PATH_BYTES_MAX } from "../config/places.ts";
import {
  isSlurmProfile,
  type KeyProfile,
  NO_PROFILES,
  type Profile,
  type Profiles,
  parseProfiles,
  profilesFile,
} from "../config/profiles.ts";
import { type Invitation, parseInvitation, parseTarget } from "../protocol/identity.ts";
import { utf8Length, utf8Text } from "../util/bytes.ts";
import { errnoText } from "../util/errno.ts";
import { type CommandContext, UserError } from "./context.ts";

type Ports = Pick<CommandContext, "environment" | "cwd" | "files"> & {
  readonly cluster?: string | undefined;
  /** What the configuration file says of `backend`, read as a whole; called where the file has the word. */
  readonly configuredBackend?: (() => ConfiguredBackend) | undefined;
};

/** See config/backend.ts. */
export type ConfiguredBackend =
  | { readonly backend: string; readonly place: string }
  | { readonly problems: readonly string[] }
  | null;

/** A controller of another machine, and who said that it is meant. */
export interface Remote extends Invitation {
  /** `MGPU_CONTROLLER`, `-M lab`, `the profile lab`. */
  readonly source: string;
}

/** Where the controller is. */
export type Target =
  | { readonly kind: "here" }
  | { readonly kind: "socket"; readonly path: string }
  | RemoteTarget
  | SlurmTarget;

/** Slurm runs it: see backend/slurm/ports.ts. */
export interface SlurmTarget {
  readonly kind: "slurm";
  readonly place: { readonly conf: string; readonly bin: string; readonly source: string };
}

type RemoteTarget = { readonly kind: "remote"; readonly remote: Remote };

/** The cluster that is meant. @throws UserError if what names it can't be understood, or has no key */
export function targetOf(ports: Ports): Target {
  const { environment, cluster } = ports;
  if (cluster !== undefined) return profileTarget(readProfiles(ports), cluster);
  const backend = environment[BACKEND_VARIABLE] ?? "";
  if (backend !== "") {
    const target = backendTarget(backend, environment);
    if (target) return target;
  }
  if (environment.MGPU_CONTROLLER) return variableTarget(ports, environment.MGPU_CONTROLLER);
  const profiles = readProfiles(ports);
  if (profiles.default === null) return backend === "" ? configuredTarget(ports) : { kind: "here" };
  return remote(profiles.clusters[profiles.default], `the profile ${profiles.default} (mgpu use local leaves it)`);
}

/** The user's profiles; none if there is no such file. @throws UserError if it is damaged, or can't be read */
export function readProfiles({ environment, files }: Pick<Ports, "environment" | "files">): Profiles {
  const { path } = profilesFile(environment);
  let text: string;
  try {
    text = utf8Text(files.read(path));
  } catch (error) {
    if ((error as { readonly code?: string }).code === "ENOENT") return NO_PROFILES;
    throw new UserError(`${path} can't be read: ${errnoText(error)}`);
  }
  const profiles = parseProfiles(text);
  if (profiles) return profiles;
  throw new UserError(`${path} can't be understood`, "remove it, then store your keys again with mgpu login");
}

function profileTarget(profiles: Profiles, name: string): Target {
  if (name === "local") return { kind: "here" };
  const profile = profiles.clusters[name];
  if (profile && Object.hasOwn(profiles.clusters, name)) return remote(profile, `-M ${name}`);
  const address = name.includes(":") ? parseTarget(name) : null;
  if (address !== null) return addressTarget(profiles, address);
  const names = Object.keys(profiles.clusters);
  const known = names.length > 0 ? `there are: ${names.join(", ")}, local` : "there are none; mgpu login makes one";
  throw new UserError(`no profile is called "${name}"`, known);
}

/**
 * The `host:port` that a user has a key for, where only the host was named.
 * @param address with the port to take where there is no key for any other
 * @throws UserError if there are keys for several
 */
export function storedAddress(ports: Pick<Ports, "environment" | "files">, address: string): string {
  const hostOf = (target: string): string => target.slice(0, target.lastIndexOf(":"));
  const targets = Object.values(readProfiles(ports).clusters).flatMap((one) => (isSlurmProfile(one) ? [] : one.target));
  const own = [...new Set(targets.filter((target) => hostOf(target) === hostOf(address)))];
  if (own.length === 0 || own.includes(address)) return address;
  const [only, ...others] = own;
  if (only !== undefined && others.length === 0) return only;
  throw new UserError(`--host: there are keys for ${own.join(" and ")}`, "--port says which is meant");
}

/** What `mgpu --host H --port P` names. */
function addressTarget({ clusters }: Profiles, address: string): Target {
  const profile = Object.values(clusters).find((one) => !isSlurmProfile(one) && one.target === address);
  if (profile) return remote(profile, "--host");
  const hint =
    "mgpu key issue NAME on the controller's machine prints a line for mgpu login; without --host mgpu on this machine is meant";
  throw new UserError(`--host: there is no key for ${address} here`, hint);
}

function variableTarget(ports: Ports, text: string): Target {
  const source = "MGPU_CONTROLLER";
  const invitation = parseInvitation(text);
  if (invitation) return { kind: "remote", remote: { ...invitation, source } };
  const hint =
    "set it to unix:/path, to host:port#key or the name of a profile, or unset it to use mgpu on this machine";
  // The part behind it is secret.
  const shown = text.replace(/#.*/s, "#...");
  if (text.includes("#")) throw new UserError(`MGPU_CONTROLLER=${shown}: the key can't be read`, hint);
  const address = text.replace(/^tcp:(\/\/)?/, "");
  const path = text.replace(/^unix:(\/\/)?/, "");
  if (address === text && path.includes("/")) return socketTarget(ports, path, hint);
  const { clusters } = readProfiles(ports);
  if (Object.hasOwn(clusters, text)) return remote(clusters[text], source);
  const target = parseTarget(address);
  const profile = Object.values(clusters).find((one) => !isSlurmProfile(one) && one.target === target);
  if (profile) return remote(profile, source);
  if (target === null || !text.includes(":")) {
    throw new UserError(`MGPU_CONTROLLER: expected unix:/path, got "${shown}"`, hint);
  }
  const keyHint = "mgpu key issue NAME on the controller's machine prints a line to paste here";
  throw new UserError(`MGPU_CONTROLLER=${shown}: there is no key for it here`, keyHint);
}

function socketTarget({ cwd }: Ports, path: string, hint: string): Target {
  const socket = path.startsWith("/") ? path : `${cwd}/${path}`;
  if (utf8Length(socket) <= SOCKET_PATH_BYTES_MAX) return { kind: "socket", path: socket };
  throw new UserError(`MGPU_CONTROLLER: ${socket} is longer than the ${SOCKET_PATH_BYTES_MAX} bytes of a socket`, hint);
}

function remote(profile: Profile | undefined, source: string): Target {
  if (!profile) return { kind: "here" };
  if (isSlurmProfile(profile)) return slurmTarget(source, profile);
  const { target, identity, key }: KeyProfile = profile;
  return { kind: "remote", remote: { target, identity, key, source } };
}

function slurmTarget(
  source: string,
  { conf = "", bin = "" }: { readonly conf?: string; readonly bin?: string },
): Target {
  return { kind: "slurm", place: { conf, bin, source } };
}

/** What MGPU_BACKEND says; `null` for mgpu, whichever it is. @throws UserError for a word that is none */
function backendTarget(text: string, { MGPU_CONTROLLER }: Ports["environment"]): Target | null {
  const source = `${BACKEND_VARIABLE}=${text}`;
  if (!isBackend(text)) {
    throw new UserError(`${BACKEND_VARIABLE}: expected ${BACKENDS.join(" or ")}, got "${text}"`);
  }
  if (text === "mgpu") return null;
  if (MGPU_CONTROLLER) {
    throw new UserError(
      `${source} and MGPU_CONTROLLER are both set, and name two clusters`,
      "unset one of them; -M NAME chooses a cluster of mgpu login",
    );
  }
  return slurmTarget(source, {});
}

/** A file that can't mean another engine needs no parser. @throws UserError for one that can't be used */
function configuredTarget({ environment, files, configuredBackend }: Ports): Target {
  if (!configuredBackend || !configPlaces(environment).some((path) => mayChoose(files, path))) return { kind: "here" };
  const found = configuredBackend();
  if (found === null) return { kind: "here" };
  if ("problems" in found) throw new UserError(found.problems, "mgpu config check tells more");
  return found.backend === "slurm" ? slurmTarget(`backend at ${found.place}`, {}) : { kind: "here" };
}

/** Lines that choose nothing, though the sample's have the word: comments, and mgpu's own engine said plainly. */
const IDLE_LINES = /^[ \t]*#.*$|^backend:[ \t]*mgpu[ \t]*(#.*)?$/gm;

/** Whether a configuration's text may mean another engine than mgpu's own. */
function mayChoose(files: Ports["files"], path: string): boolean {
  try {
    return utf8Text(files.read(path)).replace(IDLE_LINES, "").toLowerCase().includes("backend");
  } catch {
    return false;
  }
}

/**
 * Finds the configuration file: `$MGPU_CONFIG`, else `mgpu/config.yaml` (or `.yml`, `.json`) below `$XDG_CONFIG_HOME`
 * or `~/.config`, else below `/etc`. The first that is there is the one; files are not joined.
 */

import { errnoText } from "../util/errno.ts";
import { configPlaces } from "./config-places.ts";
import { CONFIG_BYTES_MAX, type ConfigFile, readConfig, readModels } from "./file.ts";
import type { Environment } from "./places.ts";

export { configPlaces } from "./config-places.ts";

import { SETTINGS } from "./settings.ts";

const VARIABLE = SETTINGS.models.variable;

/** What is asked of the file system. Both throw Node's errors. */
export interface ConfigReader {
  stat(path: string): { readonly isFile: boolean; readonly size: number };
  read(path: string): Uint8Array;
}

export interface FoundConfig {
  /** Where it was found; `null` where there is none. */
  readonly path: string | null;
  readonly file: ConfigFile;
}

const NONE: ConfigFile = { texts: {}, places: {}, modelFile: null };

/** This machine's node, as {@link readConfig} takes it. */
export interface OwnNode {
  readonly name: string;
  readonly hostname: string;
}

/**
 * Finds and reads the configuration of this machine.
 * @returns one line for each problem where the file can't be used
 */
export function loadConfig(
  env: Environment,
  files: ConfigReader,
  { name, hostname }: OwnNode,
): FoundConfig | { readonly problems: readonly string[] } {
  for (const path of configPlaces(env)) {
    const text = readText(path, files, !env.MGPU_CONFIG);
    if (text === null) continue;
    if (typeof text !== "string") return { problems: [`${path}: ${text.problem}`] };
    const file = readConfig(text, { name: path, node: name, hostname });
    if ("problems" in file) return file;
    return file.modelFile === null ? { path, file } : withModels(path, file, file.modelFile, files);
  }
  return { path: null, file: NONE };
}

/** With the models of another file, named as from the folder of the first; what the first says itself goes above. */
function withModels(
  path: string,
  own: ConfigFile,
  named: string,
  files: ConfigReader,
): FoundConfig | { readonly problems: readonly string[] } {
  const name = named.startsWith("/") ? named : `${path.slice(0, path.lastIndexOf("/"))}/${named}`;
  const text = readText(name, files, false) ?? "";
  const where = `${own.places[VARIABLE] ?? path}: models.file`;
  if (typeof text !== "string") return { problems: [`${where}: ${name}: ${text.problem}`] };
  const models = readModels(text, { name, node: "", hostname: "" });
  if ("problems" in models) return models;
  const table = [models.texts[VARIABLE], own.texts[VARIABLE]].filter(Boolean).join(",");
  const places = { ...own.places, [VARIABLE]: own.places[VARIABLE] ?? models.places[VARIABLE] ?? path };
  return { path, file: { texts: { ...own.texts, [VARIABLE]: table }, places, modelFile: name } };
}

/** @param mayMiss `null` where there is no such file; a problem otherwise */
function readText(path: string, files: ConfigReader, mayMiss: boolean): string | null | { readonly problem: string } {
  try {
    const { isFile, size } = files.stat(path);
    if (!isFile) return { problem: "this is no plain file; a configuration is one of YAML or JSON" };
    if (size > CONFIG_BYTES_MAX) return { problem: `larger than the ${CONFIG_BYTES_MAX} bytes of a configuration` };
    return new TextDecoder("utf-8", { fatal: true }).decode(files.read(path));
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (mayMiss && (code === "ENOENT" || code === "ENOTDIR")) return null;
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return { problem: "this is no UTF-8 text" };
    return { problem: errnoText(error) };
  }
}

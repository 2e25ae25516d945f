/** A context for commands under test: nothing real is touched, and what was printed can be read back. */

import type { Child, ChildRequest, CommandContext, Files, Input, SignalName, Stdio } from "../../../src/cli/context.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { placesFrom } from "../../../src/config/places.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import { gunzip } from "../../../src/platform/gzip.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Item, Params, Result, StreamMethod, UnaryMethod } from "../../../src/protocol/procedures.ts";
import * as replay from "../../../src/replay/main.ts";
import type { CallOptions, Connected, Peer } from "../../../src/rpc/types.ts";

type Answer<M> = M extends StreamMethod
  ? (params: Params<M>, send: (item: Item<M>) => Promise<void>, options: CallOptions) => Result<M> | Promise<Result<M>>
  : M extends UnaryMethod
    ? (params: Params<M>, options: CallOptions) => Result<M> | Promise<Result<M>>
    : never;

/** What a fake peer answers, by method. A call of any other method fails with UNKNOWN_METHOD. */
export type Script = { [M in UnaryMethod | StreamMethod]?: Answer<M> };

export interface FakePeer extends Peer {
  /** Every call in order: method and parameters. */
  readonly calls: readonly { readonly method: string; readonly params: unknown }[];
  /** Ends the connection: `closed` resolves, open and later calls reject with LOST_CONTACT. */
  lose(problem?: string): void;
}

/** A peer whose answers are functions. */
export function fakePeer(script: Script): FakePeer {
  const calls: { method: string; params: unknown }[] = [];
  let end: (problem: string) => void = () => {};
  const closed = new Promise<string>((resolve) => {
    end = resolve;
  });
  const lost = closed.then((): never => {
    throw new RpcError("LOST_CONTACT", "the connection ended");
  });
  lost.catch(() => {});
  const find = (method: string, params: unknown): ((...given: unknown[]) => unknown) => {
    calls.push({ method, params });
    const answer = (script as Record<string, ((...given: unknown[]) => unknown) | undefined>)[method];
    if (answer === undefined) throw new RpcError("UNKNOWN_METHOD", method);
    return answer;
  };
  return {
    calls,
    call: async (method, params, options = {}) =>
      (await Promise.race([lost, find(method, params)(params, options)])) as never,
    stream: async (method, params, onItem, options = {}) => {
      const send = async (item: unknown): Promise<void> => void (await onItem(item as never));
      return (await Promise.race([lost, find(method, params)(params, send, options)])) as never;
    },
    closed,
    close: () => end(""),
    lose: (problem = "ECONNRESET") => end(problem),
  };
}

/** A peer as `connect` hands it over. */
export function connected(peer: Peer): Connected {
  const protocol = { major: 1, minor: 0 };
  return { peer, answer: { daemon: "mgpuctld", protocol, version: "0.1.0", pid: 1, startedAt: 0 } };
}

export interface FakeClock extends Clock {
  /** Lets `ms` pass: due callbacks run in order, promises settle in between. */
  advance(ms: number): Promise<void>;
}

/** Time that passes only when told. Starts at 2026-11-21T22:00:00Z. */
function fakeClock(): FakeClock {
  let now = Date.UTC(2026, 10, 21, 22, 0, 0);
  const start = now;
  let waiting: { due: number; callback: () => void }[] = [];
  return {
    now: () => now,
    monotonic: () => now - start,
    after(ms, callback) {
      const entry = { due: now + Math.max(0, ms), callback };
      waiting.push(entry);
      return () => {
        waiting = waiting.filter((other) => other !== entry);
      };
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const next = waiting.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
        if (next === undefined) break;
        waiting = waiting.filter((other) => other !== next);
        now = next.due;
        next.callback();
        await settle();
      }
      now = end;
    },
  };
}

/** Lets promises settle, without time passing. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

export interface FakeInput extends Input {
  /** Puts bytes before the reader. */
  type(text: string): void;
  /** No more will come. */
  end(): void;
}

/** Standard input that says what the test lets it say. */
function fakeInput(): FakeInput {
  const chunks: Uint8Array[] = [];
  let ended = false;
  let wake = (): void => {};
  return {
    type(text) {
      chunks.push(new TextEncoder().encode(text));
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async read(take) {
      for (;;) {
        const chunk = chunks.shift();
        if (chunk !== undefined) await take(chunk);
        else if (ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
    stop() {
      chunks.length = 0;
      ended = true;
      wake();
    },
  };
}

export interface Fake {
  readonly context: CommandContext;
  readonly clock: FakeClock;
  readonly input: FakeInput;
  /** All that was printed so far. */
  out(): string;
  err(): string;
  outBytes(): Uint8Array;
  /** Delivers a signal; false if the command does not listen for it. */
  signal(name: SignalName): boolean;
  /** `raw` and `restored`, in the order they happened. */
  readonly terminalLog: readonly string[];
  resize(columns: number, rows: number): void;
}

export interface FakeOptions {
  readonly program?: string;
  readonly environment?: Record<string, string>;
  readonly cwd?: string;
  /** Contents by absolute path. */
  readonly files?: Record<string, string>;
  /** What stands on standard input for `files.readWhile`. */
  readonly stdin?: string;
  readonly fileQuestions?: Partial<Files>;
  /** All three streams are terminals of this size. */
  readonly terminal?: { columns: number; rows: number };
  /** False: a shell's background job. */
  readonly isForeground?: boolean;
  /** Instead of what follows from `terminal`. */
  readonly stdio?: Partial<Stdio>;
  /** One controller connection after the other; the last one is kept. A function is asked each time. */
  readonly controller?: Peer | readonly Peer[] | (() => Promise<Connected>);
  readonly connectHolder?: CommandContext["session"]["connectHolder"];
  readonly startChild?: (request: ChildRequest) => Promise<Child>;
  readonly utcOffsetMinutes?: number;
  readonly shell?: Partial<CommandContext["shell"]>;
}

/** A context with its controls. By default it runs as `mgpu-test` in `/work` without terminals. */
export function fakeContext(options: FakeOptions = {}): Fake {
  const printed = { out: [] as Uint8Array[], err: [] as Uint8Array[] };
  const clock = fakeClock();
  const input = fakeInput();
  const handlers = new Map<SignalName, Set<() => void>>();
  const terminalLog: string[] = [];
  let size = options.terminal ?? null;
  const environment = options.environment ?? { HOME: "/home/ada", PATH: "/bin" };
  const cwd = options.cwd ?? "/work";
  const isTerminal = options.terminal !== undefined;
  let randomCalls = 0;
  const files = fakeFiles(options, cwd);
  const context: CommandContext = {
    program: options.program ?? "mgpu-test",
    version: "0.1.0",
    launcherFolder: "/opt/mgpu/bin",
    slurm: () => null,
    environment,
    cwd,
    user: { uid: 1000, gid: 1000, name: "ada" },
    hostname: "desk",
    places: placesFrom(environment, 1000),
    stdio: {
      stdinIsTerminal: isTerminal,
      stdoutIsTerminal: isTerminal,
      stderrIsTerminal: isTerminal,
      out: (data) => void printed.out.push(toBytes(data)),
      err: (data) => void printed.err.push(toBytes(data)),
      ...options.stdio,
    },
    files,
    shell: { umask: () => 0o22, limits: () => ({}), loginEnvironment: async () => null, ...options.shell },
    clock,
    random: { hex: (bytes) => (++randomCalls).toString(16).padStart(bytes * 2, "0") },
    net: {
      connect: () => Promise.reject(Object.assign(new Error("no net"), { code: "ENOENT" })),
      listen: () => Promise.reject(new Error("no net")),
      removeStale: () => {},
    },
    session: {
      input,
      terminal: {
        size: () => size,
        isForeground: () => options.isForeground ?? true,
        raw() {
          terminalLog.push("raw");
          return () => void terminalLog.push("restored");
        },
        fullScreen() {
          terminalLog.push("full screen");
          return () => void terminalLog.push("screen given back");
        },
        suspend: () => void terminalLog.push("suspended"),
        hasParent: () => true,
      },
      onSignal(name, handler) {
        const set = handlers.get(name) ?? new Set();
        handlers.set(name, set.add(handler));
        return () => void set.delete(handler);
      },
      startChild: options.startChild ?? (() => Promise.reject(Object.assign(new Error("none"), { code: "ENOENT" }))),
      connectHolder: options.connectHolder ?? (() => Promise.reject(new RpcError("LOST_CONTACT", "no holder"))),
    },
    openTui: async () => 0,
    loadConfig: () => loadConfig(environment, files, { name: "", hostname: "lab" }),
    loadReplay: () => ({ ...replay, gunzip }),
    tcp: () => Promise.reject(new Error("no TCP")),
    remote: () => Promise.reject(new Error("no other machines")),
    machine: () => Promise.reject(new Error("no node daemon")),
    doctor: () => Promise.reject(new Error("no doctor")),
    chooseCluster: () => {},
    utcOffsetMinutes: () => options.utcOffsetMinutes ?? 0,
    connect: connector(options.controller),
  };
  const text = (chunks: Uint8Array[]): string => Buffer.concat(chunks).toString("utf8");
  return {
    context,
    clock,
    input,
    out: () => text(printed.out),
    err: () => text(printed.err),
    outBytes: () => new Uint8Array(Buffer.concat(printed.out)),
    signal(name) {
      const set = handlers.get(name);
      if (set === undefined || set.size === 0) return false;
      for (const handler of [...set]) handler();
      return true;
    },
    terminalLog,
    resize(columns, rows) {
      size = { columns, rows };
      for (const handler of handlers.get("SIGWINCH") ?? []) handler();
    },
  };
}

function connector(controller: FakeOptions["controller"]): CommandContext["connect"] {
  if (typeof controller === "function") return controller;
  const peers = controller === undefined ? [] : "call" in controller ? [controller] : [...controller];
  return async () => {
    const peer = peers.length > 1 ? peers.shift() : peers[0];
    if (peer === undefined) throw new RpcError("LOST_CONTACT", "no controller");
    return connected(peer);
  };
}

function fakeFiles(options: FakeOptions, cwd: string): Files {
  const files = options.files ?? {};
  const absolute = (path: string): string => (path.startsWith("/") ? path : `${cwd}/${path}`);
  return {
    read(path) {
      const content = files[absolute(path)];
      if (content === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
      return new TextEncoder().encode(content);
    },
    readWhile(path, goOn) {
      const bytes = path === null ? new TextEncoder().encode(options.stdin ?? "") : this.read(path);
      if (bytes.length > 0) goOn(bytes);
      return bytes;
    },
    trustProblem: () => "",
    exists: () => false,
    makeFolder: () => {},
    isUser: (name) => name !== "nosuchuser",
    isFolder: (path) => absolute(path) === cwd || path === "/",
    findProgram: () => "found",
    programPath: (name) => (name.startsWith("/") ? name : `/bin/${name}`),
    writeProblem: () => "",
    replace(path, data) {
      this.write(path, data);
    },
    write(path, data) {
      files[absolute(path)] = new TextDecoder().decode(data);
    },
    stat(path) {
      const content = files[absolute(path)];
      if (content === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
      return { isFile: true, size: content.length, mode: 0o640, atimeMs: 0, mtimeMs: 1000 };
    },
    *chunks(path, bytes) {
      const content = new TextEncoder().encode(files[absolute(path)] ?? "");
      for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes);
    },
    async window(path, from, bytes) {
      const content = files[absolute(path)];
      if (content === undefined) return null;
      const all = new TextEncoder().encode(content);
      return { data: all.subarray(from, from + bytes), size: all.length };
    },
    remove: (path) => void delete files[absolute(path)],
    link: () => "",
    ...options.fileQuestions,
  };
}

function toBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data.slice();
}

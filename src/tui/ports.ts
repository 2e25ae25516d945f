/** What the terminal UI may touch, and where its jobs come from. */

import type { Clock } from "../platform/clock.ts";
import type { Connected } from "../rpc/types.ts";
import type { LoadInk } from "./frame.ts";
import type { Deed, Message } from "./model.ts";
import type { Row } from "./rows.ts";

/** The terminal and the process around it: a part of what every command gets. */
export interface TuiPorts {
  readonly launcherFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  readonly clock: Clock;
  readonly stdio: { out(data: string): void };
  readonly session: {
    readonly input: { read(take: (chunk: Uint8Array) => Promise<void>): Promise<void>; stop(): void };
    readonly terminal: {
      size(): { readonly columns: number; readonly rows: number } | null;
      raw(isBare: true): () => void;
      fullScreen(): () => void;
      suspend(): void;
    };
    onSignal(name: "SIGWINCH" | "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGCONT", handler: () => void): () => void;
    startChild(request: {
      readonly argv: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      readonly isApart: boolean;
    }): Promise<{ readonly exited: Promise<{ readonly code: number; readonly signal: number }> }>;
  };
  utcOffsetMinutes(atMs: number): number;
  /** To a controller that runs; the first call may start one. */
  connect(): Promise<Connected>;
  loadInk: LoadInk;
}

/** How it was asked for. */
export interface TuiRequest {
  readonly isDemo: boolean;
  readonly isReadOnly: boolean;
  readonly isAscii: boolean;
}

/** Jobs and nodes, and what can be done to them: a controller, or a demonstration. */
export interface Source {
  /** Tells of jobs and nodes from now on; rejects if there is no controller at the start. */
  open(tell: (message: Message) => void): Promise<void>;
  /** Everything about a job, as text. */
  detail(jobId: number): Promise<string>;
  /** Tells of a job's output until it is called again; `null` ends that. */
  follow(job: { readonly jobId: number; readonly stream: "stdout" | "stderr" } | null): void;
  /** What waited and ran at a moment, milliseconds since 1970. Rejects with a sentence. */
  past(atMs: number): Promise<readonly Row[]>;
  /** Does it; a sentence about it. Rejects with a sentence. */
  act(deed: Deed): Promise<string>;
  close(): void;
}

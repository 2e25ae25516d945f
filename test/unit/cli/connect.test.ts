/** How commands find, start and tell of their controller. The machine is played by a few variables. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { connectController, feasibilityHint, NoController } from "../../../src/cli/connect.ts";
import { UserError } from "../../../src/cli/context.ts";
import type { ConnectPorts, StartedDaemon } from "../../../src/cli/dial.ts";
import { EXIT_LOCKED } from "../../../src/cli/embedded.ts";
import { rememberedOf } from "../../../src/config/remembered.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { realNet } from "../../../src/platform/net.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { NodeRow } from "../../../src/protocol/procedures.ts";
import type { Connected } from "../../../src/rpc/types.ts";
import { NODE_ROWS } from "../../golden/cluster.ts";
import { connected, type Fake, type FakePeer, fakeContext, fakePeer } from "./fake-context.ts";

const SOCKET = fakeContext().context.places.controllerSocket;
const ENDPOINT = fakeContext().context.places.endpointFile;
const REMEMBERED = fakeContext().context.places.settingsFile;
const LOG = "/home/ada/.local/state/mgpu/log/mgpuctld.log";
/** What the log holds of a daemon that ran before. */
const EARLIER = "an earlier daemon's last words\n";

interface Controller {
  readonly pid: number;
  readonly startedAt?: number;
  nodes: readonly NodeRow[];
}

/** A machine: who listens where, and what a started daemon does. */
interface Machine {
  readonly fake: Fake;
  readonly ports: ConnectPorts;
  readonly listening: Map<string, Controller>;
  /** Errors of sockets that nobody listens on; ENOENT unless set. */
  readonly failures: Map<string, unknown>;
  /** Pids of the daemons started so far. */
  readonly started: number[];
  readonly dialled: string[];
  /** Who works with the state folder; `null` for nobody. */
  daemon: { readonly pid: number | null } | null;
  /** Ends a daemon with an exit code. */
  end(pid: number, code: number | null): void;
}

interface MachineOptions {
  readonly environment?: Record<string, string>;
  readonly files?: Record<string, string>;
  readonly program?: string;
  readonly started?: Partial<StartedDaemon>;
  readonly onStart?: (pid: number, machine: Machine) => void;
}

function machine(options: MachineOptions = {}): Machine {
  const { environment = {}, files = {}, onStart = () => {}, started = {} } = options;
  const fake = fakeContext({
    program: options.program ?? "mgpu-srun",
    environment: { HOME: "/home/ada", PATH: "/bin", ...environment },
    files,
  });
  const { context, clock } = fake;
  const exits = new Map<number, (code: number | null) => void>();
  const self: Machine = {
    fake,
    listening: new Map(),
    failures: new Map(),
    started: [],
    dialled: [],
    daemon: null,
    end: (pid, code) => exits.get(pid)?.(code),
    ports: {
      ...context,
      log: silentLog(),
      loadSlurm: () => expect.unreachable(),
      dial: async (socket) => {
        self.dialled.push(socket);
        const controller = self.listening.get(socket);
        if (controller) return connectedTo(controller, clock.now());
        throw self.failures.get(socket) ?? Object.assign(new Error("connect"), { code: "ENOENT" });
      },
      startDaemon: async (): Promise<StartedDaemon> => {
        const pid = 100 + self.started.length;
        self.started.push(pid);
        const exited = new Promise<number | null>((resolve) => exits.set(pid, resolve));
        onStart(pid, self);
        const known = { logFile: LOG, logFrom: EARLIER.length, resumed: [], hasNode: true, differences: [] };
        return { pid, ...known, exited, ...started };
      },
      findDaemon: async () => self.daemon,
      askAtDoor: () => Promise.reject(Object.assign(new Error("no door"), { code: "ENOENT" })),
      secureNet: () => Promise.reject(new Error("no TLS in this test")),
    },
  };
  return self;
}

function connectedTo(controller: Controller, nowMs: number): Connected {
  const peer = fakePeer({ "nodes.list": () => ({ nodes: [...controller.nodes], now: nowMs }) });
  const { answer } = connected(peer);
  return { peer, answer: { ...answer, pid: controller.pid, startedAt: controller.startedAt ?? nowMs - 3_600_000 } };
}

/** Lets time pass until the promise is settled; milliseconds it took. */
async function settled<T>({ fake: { clock } }: Machine, promise: Promise<T>): Promise<{ result: T; tookMs: number }> {
  const start = clock.monotonic();
  let isOver = false;
  const watched = promise.finally(() => {
    isOver = true;
  });
  watched.catch(() => {});
  while (!isOver && clock.monotonic() - start < 60_000) await clock.advance(5);
  return { result: await watched, tookMs: clock.monotonic() - start };
}

async function failure(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

const node = NODE_ROWS.slice(0, 1);
const away = NODE_ROWS.filter((row) => row.name === "n5");

describe("a controller that runs", () => {
  test("is found in the usual place", async () => {
    const here = machine();
    here.listening.set(SOCKET, { pid: 7, nodes: node });
    const { answer } = await connectController(here.ports, { start: true });
    expect([answer.pid, here.started, here.dialled, here.fake.err()]).toEqual([7, [], [SOCKET], ""]);
  });

  test("is found where its endpoint file says", async () => {
    const here = machine({ files: { [ENDPOINT]: JSON.stringify({ socket: "/run/x.sock", pid: 7, version: "1" }) } });
    here.listening.set("/run/x.sock", { pid: 7, nodes: node });
    expect((await connectController(here.ports, { start: false })).answer.pid).toBe(7);
    expect(here.dialled).toEqual(["/run/x.sock"]);
  });

  test.each([
    ["stale", JSON.stringify({ socket: "/run/gone.sock", pid: 7, version: "1" })],
    ["torn", '{"socket": "/ru'],
    ["strange", '{"socket": 12}'],
    ["empty", "null"],
  ])("is found in spite of a %s endpoint file", async (_, content) => {
    const here = machine({ files: { [ENDPOINT]: content } });
    here.listening.set(SOCKET, { pid: 7, nodes: node });
    expect((await connectController(here.ports, { start: true })).answer.pid).toBe(7);
    expect(here.started).toEqual([]);
  });

  test("if it is young, its node is waited for, but not for ever", async () => {
    const here = machine();
    const { clock } = here.fake;
    const young = { pid: 7, startedAt: clock.now(), nodes: away };
    here.listening.set(SOCKET, young);
    clock.after(300, () => {
      young.nodes = node;
    });
    expect((await settled(here, connectController(here.ports, { start: true }))).tookMs).toBeOneOf([300, 305, 310]);
    young.nodes = [];
    here.listening.set(SOCKET, { ...young, startedAt: clock.now() });
    expect((await settled(here, connectController(here.ports, { start: true }))).tookMs).toBeOneOf([5000, 5005, 5010]);
    expect((await settled(here, connectController(here.ports, { start: false }))).tookMs).toBeLessThan(10);
  });

  test("of another version, or one that hangs, is an error as it is", async () => {
    for (const code of ["VERSION", "DEADLINE"] as const) {
      const here = machine();
      here.failures.set(SOCKET, new RpcError(code, "upgrade the client side"));
      await expect(connectController(here.ports, { start: true })).rejects.toMatchObject({ code });
      expect(here.started).toEqual([]);
    }
  });

  test("that belongs to somebody else is not started a second time", async () => {
    const here = machine();
    here.failures.set(SOCKET, Object.assign(new Error("connect"), { code: "EACCES" }));
    const error = await failure(connectController(here.ports, { start: true }));
    expect(error).toBeInstanceOf(NoController);
    expect(error).toMatchObject({ isNobodyThere: false, message: expect.stringContaining("permission denied") });
    expect(here.started).toEqual([]);
  });
});

describe("no controller", () => {
  test("and none to be started: what was tried, why it failed, what to do", async () => {
    const here = machine({ files: { [ENDPOINT]: JSON.stringify({ socket: "/run/x.sock", pid: 7, version: "1" }) } });
    here.failures.set("/run/x.sock", Object.assign(new Error("connect"), { code: "ECONNREFUSED" }));
    const error = await failure(connectController(here.ports, { start: false }));
    expect(error).toBeInstanceOf(NoController);
    expect(error).toMatchObject({
      isNobodyThere: true,
      exitCode: 1,
      hint: "start it with: mgpu up; mgpu doctor looks closer",
    });
    expect(error.problems).toEqual([
      `can't reach the controller: /run/x.sock: nobody listens there any more; ${SOCKET}: there is no such socket`,
    ]);
  });

  test("a node of another machine's cluster starts none: its GPUs are granted there", async () => {
    const joined = { v: 1, cluster: "lab", target: "gpu0:7411", node: "gpu1", identity: "node/gpu1/1", key: "00" };
    const here = machine({ files: { "/home/ada/.local/state/mgpu/join.json": JSON.stringify(joined) } });
    for (const options of [{ start: true }, { start: false }, { start: true, isAsked: true }]) {
      const error = await failure(connectController(here.ports, options));
      expect(error).toMatchObject({ isNobodyThere: true });
      expect(error.problems.join()).toContain("this machine is node gpu1 of the cluster lab at gpu0:7411");
      expect(error.hint).toContain("mgpu leave");
    }
    expect(here.started).toEqual([]);
    // One that runs here all the same is used.
    here.listening.set(SOCKET, { pid: 7, nodes: node });
    expect((await connectController(here.ports, { start: true })).answer.pid).toBe(7);
  });

  test("one that hangs up is not yet gone", async () => {
    const here = machine();
    here.failures.set(SOCKET, new RpcError("LOST_CONTACT", "closed"));
    expect(await failure(connectController(here.ports, { start: false }))).toMatchObject({ isNobodyThere: false });
  });
});

describe("the first command", () => {
  test("starts one, waits for its node, and says so once", async () => {
    const controller: Controller = { pid: 100, nodes: [] };
    const here = machine({
      onStart: (_pid, { fake: { clock }, listening }) => {
        clock.after(200, () => listening.set(SOCKET, controller));
        clock.after(450, () => {
          controller.nodes = node;
        });
      },
    });
    const { result, tookMs } = await settled(here, connectController(here.ports, { start: true }));
    expect([result.answer.pid, here.started]).toEqual([100, [100]]);
    expect(tookMs).toBeLessThan(480);
    expect(here.fake.err()).toBe("mgpu-srun: started mgpu on this machine: 4 GPUs, 8 CPUs (mgpu down ends it)\n");
  });

  test("says what keeps its GPUs from being seen", async () => {
    const [first] = node;
    if (!first) throw new Error("no node");
    const inventory = { ...first.inventory, cpus: 1, gpus: [], gpuProblem: "nvidia-smi: no devices were found" };
    const here = machine({
      onStart: (pid, { listening }) => void listening.set(SOCKET, { pid, nodes: [{ ...first, inventory }] }),
    });
    await settled(here, connectController(here.ports, { start: true }));
    expect(here.fake.err()).toBe(
      "mgpu-srun: started mgpu on this machine: 0 GPUs, 1 CPU (mgpu down ends it); " +
        "GPUs: nvidia-smi: no devices were found\n",
    );
  });

  test("sees through a stale socket", async () => {
    const here = machine({
      onStart: (pid, { fake: { clock }, listening }) => {
        clock.after(100, () => listening.set(SOCKET, { pid, nodes: node }));
      },
    });
    here.failures.set(SOCKET, Object.assign(new Error("connect"), { code: "ECONNREFUSED" }));
    await settled(here, connectController(here.ports, { start: true }));
    expect(here.started).toEqual([100]);
  });

  test("that loses the race for the lock goes on with the winner's, silently", async () => {
    const here = machine({
      onStart: (pid, self) => {
        const { clock } = self.fake;
        clock.after(20, () => {
          self.daemon = { pid: 55 };
        });
        clock.after(80, () => self.end(pid, EXIT_LOCKED));
        clock.after(2300, () => self.listening.set(SOCKET, { pid: 55, nodes: node }));
      },
    });
    const { result } = await settled(here, connectController(here.ports, { start: true }));
    expect([result.answer.pid, here.started, here.fake.err()]).toEqual([55, [100], ""]);
  });

  test("starts again if the lock's holder was on its way out", async () => {
    const here = machine({
      onStart: (pid, { fake: { clock }, listening, end, started }) => {
        if (started.length === 1) clock.after(50, () => end(pid, EXIT_LOCKED));
        else clock.after(50, () => listening.set(SOCKET, { pid, nodes: node }));
      },
    });
    const { result, tookMs } = await settled(here, connectController(here.ports, { start: true }));
    expect([result.answer.pid, here.started]).toEqual([101, [100, 101]]);
    expect(tookMs).toBeLessThan(300);
  });

  test("tells why it did not start, with the end of its log", async () => {
    const lines = [
      "one",
      '{"level":"error","message":"can\'t write the journal","error":"ENOSPC: no space left on device"}',
      '{"level":"info","message":"controller started"}',
    ];
    const here = machine({
      files: { [LOG]: `${EARLIER}${lines.join("\n")}\n` },
      onStart: (pid, { end }) => end(pid, 1),
    });
    const error = await failure(settled(here, connectController(here.ports, { start: true })));
    expect(error.problems).toEqual([
      "mgpu was started on this machine, but it ended with exit code 1",
      "one",
      "can't write the journal: ENOSPC: no space left on device",
    ]);
    expect(error.hint).toBe(`its log is ${LOG}; mgpu doctor looks closer`);
  });

  test.each([
    ["was killed", (pid: number, { end }: Machine): void => end(pid, null), "it was killed"],
    ["never answers", (): void => {}, "it did not answer within 15 s"],
    [
      "has no node",
      (pid: number, { listening }: Machine): void => void listening.set(SOCKET, { pid, nodes: away }),
      "its node did not register within 15 s",
    ],
  ])("gives up on a daemon that %s", async (_, onStart, text) => {
    const here = machine({ onStart });
    const error = await failure(settled(here, connectController(here.ports, { start: true })));
    expect(error.problems).toEqual([`mgpu was started on this machine, but ${text}`]);
  });

  test("tells why it could not even be spawned, in words", async () => {
    const refusal = Object.assign(new Error("EACCES: permission denied, mkdir '/x'"), { code: "EACCES", path: "/x" });
    const startDaemon = (): Promise<never> => Promise.reject(refusal);
    for (const [environment, hint] of [
      [{ MGPU_HOME: "/x" }, "MGPU_HOME is /x: set it to a folder of your own, or unset it"],
      [{}, "the state folder is /home/ada/.local/state/mgpu: set MGPU_HOME to another one that you can write to"],
    ] as const) {
      const here = machine({ environment });
      const error = await failure(connectController({ ...here.ports, startDaemon }, { start: true }));
      expect(error.problems).toEqual(["mgpu could not be started on this machine: /x: Permission denied"]);
      expect(error.hint).toBe(hint);
    }
  });

  test("says where its settings are others than those of the mgpu that crashed", async () => {
    const here = machine({
      started: { differences: ["MGPU_FAKE_GPUS is 2 here, it was 4"] },
      onStart: (pid, { listening }) => void listening.set(SOCKET, { pid, nodes: node }),
    });
    await settled(here, connectController(here.ports, { start: true }));
    expect(here.fake.err()).toBe(
      "mgpu-srun: started mgpu on this machine: 4 GPUs, 8 CPUs (mgpu down ends it); " +
        "MGPU_FAKE_GPUS is 2 here, it was 4\n",
    );
  });

  test("that fails with settings of the mgpu that crashed says so", async () => {
    const here = machine({
      started: { resumed: ["MGPU_FAKE_GPUS=/gone"] },
      onStart: (pid, { end }) => end(pid, 1),
    });
    const error = await failure(settled(here, connectController(here.ports, { start: true })));
    expect(error.hint).toBe(
      "it got the settings of the mgpu that ran before (MGPU_FAKE_GPUS=/gone), which mgpu down forgets; " +
        `its log is ${LOG}; mgpu doctor looks closer`,
    );
  });
});

describe("a controller that ran apart from its node daemons and is gone", () => {
  const files = { [REMEMBERED]: JSON.stringify(rememberedOf({ MGPU_CPUS: "8" }, false)) };

  test("is not started by a command that needs one", async () => {
    const here = machine({ files });
    const error = await failure(connectController(here.ports, { start: true }));
    expect(error.hint).toMatch(/^mgpuctld ran here apart from its node daemons.*mgpu up; mgpu down forgets it/);
    expect(here.started).toEqual([]);
  });

  test("is started where that is asked for, and nobody waits for a node", async () => {
    const here = machine({
      files,
      started: { hasNode: false },
      onStart: (pid, self) => self.listening.set(SOCKET, { pid, nodes: [] }),
    });
    const { result, tookMs } = await settled(here, connectController(here.ports, { isAsked: true }));
    expect([result.answer.pid, here.started, tookMs < 1000]).toEqual([100, [100], true]);
    expect(here.fake.err()).toBe("mgpu-srun: started mgpuctld without a node, as it ran before\n");
  });
});

describe("a daemon that works with the state folder and can't be reached", () => {
  const text = (pid: string): string =>
    `mgpuctld${pid} runs on this machine, but can't be reached: ${SOCKET}: there is no such socket`;

  test.each([
    [false, 8000],
    [true, 15_000],
  ])("is told with its pid after a while, and no other one is started (start: %s)", async (start, limitMs) => {
    const here = machine();
    here.daemon = { pid: 41 };
    const promise = connectController(here.ports, { start });
    const waited = settled(here, promise);
    const error = await failure(waited);
    expect(error).toBeInstanceOf(NoController);
    expect(error).toMatchObject({ isNobodyThere: false, message: text(" (pid 41)") });
    expect(error.hint).toBe(
      `its log ${LOG} may say why; kill 41 ends it, jobs run on, and mgpu up takes them over; mgpu doctor looks closer`,
    );
    expect(here.started).toEqual([]);
    expect(here.fake.clock.monotonic()).toBeGreaterThanOrEqual(limitMs);
    expect(here.fake.clock.monotonic()).toBeLessThan(limitMs + 500);
    expect(here.fake.err()).toBe("mgpu-srun: waiting for mgpuctld (pid 41), which runs but can't be reached yet\n");
  });

  test("is named by its endpoint file if it does not answer, or not at all", async () => {
    const here = machine({ files: { [ENDPOINT]: JSON.stringify({ socket: SOCKET, pid: 7, version: "1" }) } });
    const nameless = machine();
    for (const [one, pid] of [
      [here, " (pid 7)"],
      [nameless, ""],
    ] as const) {
      one.daemon = { pid: null };
      expect((await failure(settled(one, connectController(one.ports, { start: false })))).message).toBe(text(pid));
    }
  });

  test.each([true, false])("is gone on with as soon as its socket is back (start: %s)", async (start) => {
    const here = machine();
    here.daemon = { pid: 41 };
    here.fake.clock.after(1500, () => here.listening.set(SOCKET, { pid: 41, nodes: node }));
    const { result, tookMs } = await settled(here, connectController(here.ports, { start }));
    expect([result.answer.pid, here.started, here.fake.err()]).toEqual([41, [], ""]);
    expect(tookMs).toBeLessThan(1700);
  });

  test("was on its way out: then there is none, or another is started", async () => {
    const onStart = (pid: number, { listening }: Machine): void => void listening.set(SOCKET, { pid, nodes: node });
    for (const start of [false, true]) {
      const here = machine({ onStart });
      here.daemon = { pid: 41 };
      here.failures.set(SOCKET, new RpcError("LOST_CONTACT", "ended"));
      here.fake.clock.after(300, () => {
        here.daemon = null;
        here.failures.delete(SOCKET);
      });
      const promise = settled(here, connectController(here.ports, { start }));
      if (start) expect((await promise).result.answer.pid).toBe(100);
      else expect(await failure(promise)).toMatchObject({ isNobodyThere: true });
    }
  });

  test("ends while its node is waited for: then another is started", async () => {
    const here = machine({ onStart: (pid, { listening }) => void listening.set(SOCKET, { pid, nodes: node }) });
    const { clock } = here.fake;
    here.listening.set(SOCKET, { pid: 41, startedAt: clock.now(), nodes: [] });
    const dying: ConnectPorts = {
      ...here.ports,
      dial: async (socket) => {
        const found = await here.ports.dial?.(socket);
        if (!found) throw new Error("no dial");
        if (found.answer.pid === 41) clock.after(200, () => (found.peer as FakePeer).lose());
        return found;
      },
    };
    clock.after(200, () => here.listening.delete(SOCKET));
    const { result } = await settled(here, connectController(dying, { start: true }));
    expect(result.answer.pid).toBe(100);
  });

  test("is waited for without a word under Slurm's names", async () => {
    const here = machine({ program: "squeue" });
    here.daemon = { pid: 41 };
    await failure(settled(here, connectController(here.ports, { start: false })));
    expect(here.fake.err()).toBe("");
  });
});

describe("MGPU_CONTROLLER", () => {
  const withController = (value: string): Machine => machine({ environment: { MGPU_CONTROLLER: value } });
  test.each([
    ["unix:/run/lab.sock", "/run/lab.sock"],
    ["unix:///run/lab.sock", "/run/lab.sock"],
    ["/run/lab.sock", "/run/lab.sock"],
    ["./lab.sock", "/work/./lab.sock"],
  ])("%s", async (value, socket) => {
    const here = withController(value);
    here.listening.set(socket, { pid: 9, nodes: [] });
    expect((await connectController(here.ports, { start: true })).answer.pid).toBe(9);
    expect(here.dialled).toEqual([socket]);
  });

  test.each([
    ["lab.example:7000", /there is no key for it here/],
    ["[::1]:7000", /there is no key for it here/],
    ["tcp://lab:7000", /there is no key for it here/],
    ["lab:7000#user/ada/1:zz", /^MGPU_CONTROLLER=lab:7000#...: the key can't be read$/],
    ["lab", /expected unix:\/path, got "lab"/],
    [`/${"x".repeat(110)}`, /longer than the 107 bytes of a socket/],
  ])("%s is refused in words", async (value, message) => {
    const here = withController(value);
    const error = await failure(connectController(here.ports, { start: true }));
    expect(error.message).toMatch(message);
    expect([error.hint !== undefined, here.dialled]).toEqual([true, []]);
  });

  test("nothing is started in the place of the named one", async () => {
    const here = withController("unix:/run/lab.sock");
    const error = await failure(connectController(here.ports, { start: true }));
    expect(error).toMatchObject({
      isNobodyThere: true,
      message: "can't reach the controller: /run/lab.sock: there is no such socket",
      hint: expect.stringContaining("MGPU_CONTROLLER names it"),
    });
    expect(here.started).toEqual([]);
  });

  test.each([
    ["EACCES", /permission denied$/, /it serves the user only who started it: .* or unset the variable/],
    ["ELOOP", /Too many levels of symbolic links$/, /start mgpuctld there, or unset the variable/],
  ])("that fails with %s says so in words, with a hint that fits", async (code, message, hint) => {
    const here = withController("unix:/run/lab.sock");
    here.failures.set("/run/lab.sock", Object.assign(new Error(`connect ${code}`), { code, syscall: "connect" }));
    const error = await failure(connectController(here.ports, { start: true }));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });
});

describe("a request that no node can serve", () => {
  const peerOf = (nodes: readonly NodeRow[]) => fakePeer({ "nodes.list": () => ({ nodes: [...nodes], now: 0 }) });
  const gpuless = NODE_ROWS.filter((row) => row.inventory.gpus.length === 0);
  test("has a hint if fake GPUs are set here and unknown there", async () => {
    const environment = { MGPU_FAKE_GPUS: "4" };
    expect(await feasibilityHint({ environment }, peerOf(gpuless))).toMatch(/run mgpu down, then try again/);
    expect(await feasibilityHint({ environment }, peerOf(NODE_ROWS))).toBeUndefined();
    expect(await feasibilityHint({ environment: {} }, peerOf(gpuless))).toBeUndefined();
  });
});

describe("with real sockets", () => {
  test("no socket, a dead one, and one that hangs up", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mgpu-"));
    try {
      const { dial: _, ...ports } = machine({ environment: { MGPU_CONTROLLER: `${folder}/s` } }).ports;
      const real = { ...ports, net: realNet() };
      expect((await failure(connectController(real, { start: true }))).message).toMatch(/there is no such socket/);
      const server = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => server.listen(`${folder}/s`, resolve));
      expect((await failure(connectController(real, { start: true }))).message).toMatch(/it ended the connection/);
      await new Promise((resolve) => server.close(resolve));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

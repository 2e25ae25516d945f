/** What is said of a connection that failed: the same words and the same next step, whichever command met it. */

import { describe, expect, test } from "vitest";
import { adviceFor, withDoctor } from "../../../src/cli/advice.ts";
import { commandsOf, command as mgpu } from "../../../src/cli/commands/mgpu.ts";
import type { Command } from "../../../src/cli/context.ts";
import { NoController } from "../../../src/cli/dial.ts";
import { connectRemote } from "../../../src/cli/remote.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { fakeContext } from "./fake-context.ts";

const TARGET = "gpu0:7411";

const error = (code: string): Error => Object.assign(new Error(code), { code, syscall: "connect" });

describe("the way to another machine", () => {
  test.each([
    ["refused", "ECONNREFUSED", "nobody listens there (connection refused)", /mgpu up --listen 0\.0\.0\.0:7411/],
    ["no route", "EHOSTUNREACH", "there is no route to it", /ip route get gpu0/],
    ["no route", "ENETUNREACH", "there is no route to it", /ip route get gpu0/],
    ["timed out", "ETIMEDOUT", "no answer (timed out)", /firewall.*ufw allow 7411\/tcp/],
    ["open and silent", "SILENT", "it takes the connection and says nothing", /On gpu0: ss -ltnp sport = :7411/],
    ["unknown name", "ENOTFOUND", "the name gpu0 is unknown here", /\/etc\/hosts/],
    ["unknown name", "EAI_AGAIN", "the name gpu0 is unknown here", /\/etc\/hosts/],
    ["forbidden", "EACCES", "a firewall forbids it", /open TCP port 7411/],
    ["wrong key", "ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR", "wrong key", /get a new one/],
    ["revoked", "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "it does not know this key", /mgpu key issue/],
    ["something else", "ERR_SSL_WRONG_VERSION_NUMBER", "something else than mgpu answers there", /is 7411 the port/],
    ["hung up", "ECONNRESET", "it ended the connection at once", /audit\.log/],
  ])("%s: %s", (_, code, problem, hint) => {
    const advice = adviceFor(error(code), TARGET);
    expect(advice).toMatchObject({ problem, hint: expect.stringMatching(hint) });
    expect(advice?.hint).toMatch(/; mgpu doctor gpu0:7411 looks closer$/);
  });

  test("an error that nobody thought of has the system's words, and the next step as well", () => {
    expect(adviceFor(error("EPROTO"), TARGET)).toEqual({
      problem: "EPROTO",
      hint: "is gpu0:7411 right?; mgpu doctor gpu0:7411 looks closer",
    });
  });

  test("a version that differs", async () => {
    const { context } = fakeContext();
    const versions = new RpcError("VERSION", "client speaks protocol 1.0, mgpuctld speaks protocol 2.0", "upgrade");
    const ports = { ...context, log: silentLog(), secureNet: () => Promise.reject(versions) };
    const failed = connectRemote(ports, { target: TARGET, identity: "user/ada/1", key: "00" });
    const hint = "upgrade; mgpu doctor gpu0:7411 looks closer";
    await expect(failed).rejects.toMatchObject({ code: "VERSION", hint });
  });
});

test("the next step is named once", () => {
  expect(withDoctor("", null)).toBe("mgpu doctor looks closer");
  expect(withDoctor(withDoctor("do this", null), TARGET)).toBe("do this; mgpu doctor looks closer");
});

/** What has to be typed for a command to ask its controller. Where nothing stands, its name is enough. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  srun: ["true"],
  sbatch: ["--wrap", "true"],
  salloc: ["true"],
  sattach: ["1.0"],
  sbcast: ["--jobid=1", "/etc/hostname", "/tmp/x"],
  scancel: ["1"],
  scontrol: ["show", "job", "1"],
  sacctmgr: ["show", "user"],
  seff: ["1"],
  sreport: ["cluster", "utilization"],
  sstat: ["-j", "1"],
  "mgpu nodes": [],
  "mgpu key": ["list"],
  "mgpu why": ["1"],
  "mgpu logs": ["1"],
  "mgpu exec": ["1", "true"],
  "mgpu forward": ["1", "80"],
  "mgpu history": ["now"],
  "mgpu seff": ["1"],
  "mgpu submit": ["true"],
  "mgpu alloc": ["list"],
  "mgpu export": ["slurm"],
  "mgpu feed": ["/work/jobs.txt"],
  "mgpu add": ["/etc/hostname"],
  "mgpu cancel": ["1"],
  "mgpu cancel-job": ["1"],
  "mgpu gpu": ["list"],
  "mgpu pause-gpu": ["0"],
  "mgpu resume-gpu": ["0"],
  "mgpu node": ["gpu0:7411#0123456789012345678901234567890123456789"],
  "mgpu join": ["gpu0:7411#0123456789012345678901234567890123456789"],
  "mgpu login": ["lab=gpu0:7411#user/ada/1:00112233445566778899aabbccddeeff"],
};

/** These speak to no controller, or say what they meet in their own way; `mgpu top` connects before it opens its UI. */
const APART: ReadonlySet<string> = new Set([
  ...["mgpu leave", "mgpu logout", "mgpu use", "mgpu systemd", "mgpu shims", "mgpu sim", "mgpu completion"],
  ...["mgpu config", "mgpu config-sample", "mgpu test", "mgpu doctor", "mgpu top", "mgpu import", "strigger"],
]);

describe("every command says it", async () => {
  const { subcommands, jobCommands } = await commandsOf();
  const all: readonly Command[] = [...jobCommands, ...subcommands].filter(({ name }) => !APART.has(name));

  test.each(all.map((command) => [command.name, command] as const))("%s", async (name, command) => {
    const advice = adviceFor(error("ECONNREFUSED"), TARGET);
    const text = `can't reach the controller at ${TARGET}: ${advice?.problem}`;
    const failing = (): Promise<never> => Promise.reject(new NoController(text, advice?.hint ?? "", false));
    const program = name.startsWith("mgpu ") ? name : `mgpu-${name}`;
    const files = { "/etc/hostname": "desk", "/work/jobs.txt": "1,/etc/hostname,,,\n" };
    const { context, out, err } = fakeContext({ program, controller: failing, files });
    const lost = { ...context, remote: failing };
    const code = await runCommand(command, WORDS[name] ?? [], lost);
    expect(`${out()}${err()}`).toContain(text);
    expect(err()).toContain(`${program}: hint: ${advice?.hint}\n`);
    expect(code).not.toBe(0);
  });

  test("and `mgpu` itself knows the doctor", () => {
    expect(mgpu.examples.some((line) => line.startsWith("mgpu doctor"))).toBe(true);
  });
});

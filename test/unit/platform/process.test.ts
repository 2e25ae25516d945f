import { execFileSync } from "node:child_process";
import fs, {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ProcessExit, type Processes, realProcesses, type SpawnRequest } from "../../../src/platform/process.ts";
import { systemProblem } from "../../../src/platform/system-problem.ts";

let folder: string;
let processes: Processes;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-process-"));
  processes = realProcesses({ scratchFolder: folder });
});

afterEach(() => {
  processes.close();
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string | Buffer, mode = 0o755): string {
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), mode);
  return join(folder, name);
}

/** Runs to the end with /dev/null, or these descriptors. */
async function run(more: Partial<SpawnRequest>): Promise<ProcessExit> {
  const none = await processes.openOutput("/dev/null");
  if ("problem" in none) throw new Error(none.problem.text);
  let started: unknown;
  const exit = await new Promise<ProcessExit>((resolve, reject) => {
    const request: SpawnRequest = {
      file: "/bin/sh",
      argv: ["sh"],
      environment: {},
      workDir: folder,
      descriptors: [none.value, none.value, none.value],
      ownSession: true,
      onExit: resolve,
      ...more,
    };
    processes.spawn(request).then((outcome) => {
      started = outcome;
      if ("problem" in outcome) reject(new Error(outcome.problem.code));
    }, reject);
  });
  expect(started).toEqual({ value: expect.any(Number) });
  processes.closeDescriptor(none.value);
  return exit;
}

describe("findProgram", () => {
  const find = (name: string, searchPath = "", workDir = folder) => processes.findProgram(name, searchPath, workDir);
  const code = (found: ReturnType<typeof find>) => ("file" in found ? found.file : found.problem.code);

  test("along a search path: folders and what can't be executed are passed over", () => {
    mkdirSync(join(folder, "a", "tool"), { recursive: true });
    mkdirSync(join(folder, "b"));
    mkdirSync(join(folder, "c"));
    file("b/tool", "#!/bin/sh\n", 0o644);
    const tool = file("c/tool", "#!/bin/sh\n");
    expect(code(find("tool", "/none:a:b:c"))).toBe(tool);
    expect(code(find("tool", "a:b"))).toBe("EACCES");
    expect(code(find("tool", "a"))).toBe("ENOENT");
    expect(code(find("tool", `${folder}/c`, "/"))).toBe(tool);
  });

  test("an empty part of the path is the work folder; no path is the system's", () => {
    const tool = file("tool", "#!/bin/sh\n");
    expect(code(find("tool", ":/bin"))).toBe(tool);
    expect(code(find("sh"))).toBe("/bin/sh");
  });

  test("by path", () => {
    const tool = file("tool", "#!/bin/sh\n");
    symlinkSync("tool", join(folder, "link"));
    symlinkSync("nothing", join(folder, "dangling"));
    expect(code(find("./tool"))).toBe(tool);
    expect(code(find(tool, "", "/"))).toBe(tool);
    expect(code(find("./link"))).toBe(join(folder, "link"));
    expect(code(find("./dangling"))).toBe("ENOENT");
    expect(code(find("./tool/x"))).toBe("ENOTDIR");
    expect(code(find(folder))).toBe("EISDIR");
    expect(code(find(""))).toBe("ENOENT");
  });

  test("what is no file is not looked into: a FIFO has nobody to say anything", () => {
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", ["-m", "755", fifo]);
    expect(code(find(fifo))).toBe("EACCES");
  });

  test("what the kernel can't execute", () => {
    expect(code(find(file("text", "echo\n")))).toBe("ENOEXEC");
    expect(code(find(file("empty", "")))).toBe("ENOEXEC");
    expect(code(find(file("bare", "#!\n")))).toBe("ENOEXEC");
    const binary = file("binary", Buffer.from("\x7fELF\x02", "latin1"));
    expect(code(find(binary))).toBe(binary);
    const own = readFileSync(process.execPath).subarray(0, 64);
    const foreign = Buffer.from(own);
    foreign.writeUInt16LE(0xfffe, 18);
    expect(code(find(file("foreign", foreign)))).toBe("ENOEXEC");
    expect(code(find(process.execPath))).toBe(process.execPath);
    expect(find(file("lost", "#! /no/such -x\n"))).toEqual({
      problem: systemProblem("ENOENT"),
      interpreter: "/no/such",
    });
    const spaced = file("spaced", "#! \t/bin/sh -e\n");
    expect(code(find(spaced))).toBe(spaced);
  });
});

describe("spawn", () => {
  test.each([
    ["exit 0", { code: 0, signal: 0 }],
    ["exit 200", { code: 200, signal: 0 }],
    ["kill -9 $$", { code: 0, signal: 9 }],
  ])("%s", async (text, exit) => {
    expect(await run({ argv: ["sh", "-c", text] })).toEqual(exit);
  });

  test("refusals are values", async () => {
    await expect(run({ file: join(folder, "none") })).rejects.toThrow("ENOENT");
    await expect(run({ file: file("plain", "x", 0o644) })).rejects.toThrow("EACCES");
    await expect(run({ argv: ["sh", "-c", "exit", "x".repeat(200_000)] })).rejects.toThrow("E2BIG");
    await expect(run({ argv: ["sh", "-c", "a\0b"] })).rejects.toThrow("EINVAL");
    await expect(run({ environment: { A: "a\0b" } })).rejects.toThrow("EINVAL");
    await expect(run({ workDir: "/no/such" })).rejects.toThrow("ENOENT");
  });

  test("hidden descriptors are /dev/null in the child", async () => {
    const secret = file("secret", "secret\n", 0o600);
    // Without close-on-exec, as a native module opens them: a child of ours inherits what bash opened.
    const hidden = realProcesses({ hiddenDescriptors: () => [7, 9], scratchFolder: folder });
    const out = await processes.openOutput(join(folder, "out"));
    if ("problem" in out) throw new Error();
    const text = "readlink /proc/self/fd/7 /proc/self/fd/9; ls /proc/self/fd | tr '\\n' ' '";
    await new Promise<void>((resolve) => {
      void hidden.spawn({
        file: "/bin/sh",
        argv: ["sh", "-c", text],
        environment: { PATH: "/usr/bin:/bin", SECRET: secret },
        workDir: folder,
        descriptors: [out.value, out.value, out.value],
        ownSession: true,
        onExit: () => resolve(),
      });
    });
    processes.closeDescriptor(out.value);
    hidden.close();
    expect(readFileSync(join(folder, "out"), "utf8")).toMatch(/^\/dev\/null\n\/dev\/null\n0 1 2 /);
  });
});

describe("pipes", () => {
  test("carry bytes both ways and end; nothing is left on disk", async () => {
    const to = await processes.pipeToChild();
    const from = await processes.pipeFromChild();
    if ("problem" in to || "problem" in from) throw new Error("no pipes");
    const chunks: Uint8Array[] = [];
    const over = new Promise<void>((resolve) => from.value.source.start((chunk) => chunks.push(chunk), resolve));
    const exit = new Promise<ProcessExit>((resolve) => {
      void processes
        .spawn({
          file: "/bin/cat",
          argv: ["cat"],
          environment: {},
          workDir: "/",
          descriptors: [to.value.childEnd, from.value.childEnd, from.value.childEnd],
          ownSession: true,
          onExit: resolve,
        })
        .then(() => {
          processes.closeDescriptor(to.value.childEnd);
          processes.closeDescriptor(from.value.childEnd);
        });
    });
    const data = Buffer.alloc(500_000, "abc");
    expect(to.value.target.write(data)).toBe(false);
    await new Promise<void>((resolve) => {
      to.value.target.onRoom = resolve;
    });
    to.value.target.end();
    await over;
    expect(await exit).toEqual({ code: 0, signal: 0 });
    expect(Buffer.concat(chunks).equals(data)).toBe(true);
    expect(to.value.target.closed).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a folder that can't be written is a value", async () => {
    const other = realProcesses({ scratchFolder: "/proc/no/such" });
    expect(await other.pipeFromChild()).toEqual({ problem: systemProblem("ENOENT") });
  });

  test("a scratch folder that was removed is made again, for its owner alone", async () => {
    const scratch = join(folder, "runtime", "mgpu");
    const other = realProcesses({ scratchFolder: scratch });
    const pipe = await other.pipeFromChild();
    other.close();
    if ("problem" in pipe) throw new Error(pipe.problem.text);
    expect(statSync(scratch).mode & 0o777).toBe(0o700);
    other.closeDescriptor(pipe.value.childEnd);
    pipe.value.source.close();
  });

  test("a pipe of which only one end can be opened leaves nothing open", async () => {
    // So that none is made meanwhile.
    await processes.prepare(20);
    const before = readdirSync("/proc/self/fd").length;
    const real = fs.openSync;
    let opens = 0;
    fs.openSync = (...args: Parameters<typeof real>) => {
      if (String(args[0]).startsWith("/proc/self/fd/") && ++opens === 2) {
        throw Object.assign(new Error("no descriptors left"), { code: "EMFILE" });
      }
      return real(...args);
    };
    syncBuiltinESMExports();
    try {
      expect(await processes.pipeToChild()).toEqual({ problem: systemProblem("EMFILE") });
    } finally {
      fs.openSync = real;
      syncBuiltinESMExports();
    }
    expect(opens).toBe(2);
    // The one that was kept ready is gone too.
    expect(readdirSync("/proc/self/fd").length).toBe(before - 1);
  });
});

describe("files", () => {
  test("are replaced whole, with their mode", () => {
    const path = join(folder, "script");
    for (const text of ["long text", "short"]) {
      expect(processes.writeFile(path, Buffer.from(text), 0o700)).toEqual({ value: null });
      expect(processes.readText(path)).toBe(text);
      expect(statSync(path).mode & 0o777).toBe(0o700);
    }
    processes.removeFile(path);
    processes.removeFile(path);
    expect(processes.readText(path)).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
    expect(processes.writeFile("/no/such/file", Buffer.from(""), 0o600)).toEqual({ problem: systemProblem("ENOENT") });
  });

  test("opened for output append; truncating leaves devices alone", async () => {
    const opened = await processes.openOutput(join(folder, "x", "y", "z"));
    const device = await processes.openOutput("/dev/null");
    if ("problem" in opened || "problem" in device) throw new Error("can't open");
    processes.truncate(opened.value);
    processes.truncate(device.value);
    processes.closeDescriptor(opened.value);
    processes.closeDescriptor(device.value);
    expect(statSync(join(folder, "x", "y", "z")).size).toBe(0);
    expect(await processes.openInput(join(folder, "none"))).toEqual({ problem: systemProblem("ENOENT") });
    expect(await processes.openOutput("/proc/none/x")).toEqual({ problem: systemProblem("ENOENT") });
    expect(await processes.openOutput("/dev/null/x")).toEqual({ problem: systemProblem("ENOTDIR") });
    expect(await processes.openOutput(folder)).toEqual({ problem: systemProblem("EISDIR") });
    expect(await processes.openInput(folder)).toEqual({ problem: systemProblem("EISDIR") });
  });

  test("text is added; to what is there, or also to what is not", async () => {
    const path = join(folder, "notes", "text");
    expect(await processes.appendText(path, "a\n", false)).toEqual({ problem: systemProblem("ENOENT") });
    expect(readdirSync(folder)).toEqual([]);
    expect(await processes.appendText(path, "é\n", true)).toEqual({ value: null });
    expect(await processes.appendText(path, "b\n", false)).toEqual({ value: null });
    expect(readFileSync(path, "utf8")).toBe("é\nb\n");
    expect(await processes.appendText(folder, "c\n", true)).toEqual({ problem: systemProblem("EISDIR") });
    expect(await processes.appendText("/dev/full", "c\n", false)).toEqual({ problem: systemProblem("ENOSPC") });
  });

  test("a FIFO without a peer keeps nobody waiting", async () => {
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    for (let round = 0; round < 5; round++) {
      expect(await processes.openInput(fifo)).toEqual({ problem: systemProblem("EAGAIN") });
      expect(await processes.openOutput(fifo)).toHaveProperty("problem");
    }
    expect(await processes.isFifo(fifo, "read")).toEqual({ value: true });
    expect(await processes.isFifo(fifo, "write")).toEqual({ value: true });
    for (const none of [folder, file("plain", ""), join(folder, "none"), "/dev/null"]) {
      expect(await processes.isFifo(none, "read")).toEqual({ value: false });
    }
  });

  test("descriptors for children block", async () => {
    for (const opened of [await processes.openInput("/dev/zero"), await processes.openOutput("/dev/full")]) {
      if ("problem" in opened) throw new Error(opened.problem.text);
      const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${opened.value}`, "utf8"))?.[1];
      processes.closeDescriptor(opened.value);
      expect(Number.parseInt(flags ?? "", 8) & fs.constants.O_NONBLOCK).toBe(0);
    }
  });

  test("folders to work in", () => {
    expect(processes.folderProblem(folder)).toBeNull();
    expect(processes.folderProblem(join(folder, "none"))).toEqual(systemProblem("ENOENT"));
    expect(processes.folderProblem(file("plain", ""))).toEqual(systemProblem("ENOTDIR"));
  });
});

/** The launchers in bin/, run for real with a stand-in for the bundle, and the file system's answers. */

import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Files, Stdio } from "../../../src/cli/context.ts";
import { realFiles } from "../../../src/platform/files.ts";
import { realStdio } from "../../../src/platform/stdio.ts";

const source = join(import.meta.dirname, "../../../bin");
const loader = join(import.meta.dirname, "../../../src/build/loader.cjs");
let root = "";

/** A function as bash exports it: its body has lines that look like variables. */
const FUNCTION = { "BASH_FUNC_module%%": "() {  x=1\ny=2\n echo loaded\n}" };

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "mgpu-launcher-"));
  for (const folder of ["bin", "dist", "modules/.bin", "shims"]) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(join(source, "mgpu-srun"), join(root, "bin/mgpu-srun"));
  const show = "[process.env.MGPU_PROGRAM, process.env.NODE_EXTRA_CA_CERTS, process.env.MGPU_NODE_EXTRA_CA_CERTS]";
  writeFileSync(
    join(root, "dist/mgpu-srun.cjs"),
    `console.log(JSON.stringify([...${show}.map((value) => value ?? null), ...process.argv.slice(2)]))`,
  );
  copyFileSync(join(source, "mgpu-sbatch"), join(root, "bin/mgpu-sbatch"));
  copyFileSync(loader, join(root, "dist/mgpu-sbatch.cjs"));
  writeFileSync(join(root, "dist/mgpu-sbatch.js"), "(() => console.log(JSON.stringify(process.env)))");
  symlinkSync("../../bin/mgpu-srun", join(root, "modules/.bin/mgpu-srun"));
  symlinkSync(join(root, "modules/.bin/mgpu-srun"), join(root, "shims/srun"));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function launch(command: string, args: string[], environment: Record<string, string> = {}, cwd = root) {
  const { PATH = "" } = process.env;
  const env = { PATH: `${join(root, "shims")}:${PATH}`, ...environment };
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  return { seen: stdout === "" ? null : JSON.parse(stdout), stderr, status };
}

describe("a launcher", () => {
  test("hands over arguments untouched, and its own name", () => {
    expect(launch("bin/mgpu-srun", ["a b", "", "--", "*"]).seen).toEqual([
      ...["mgpu-srun", null, null],
      ...["a b", "", "--", "*"],
    ]);
  });
  test("is found through links, from any folder, under the name that was typed", () => {
    expect(launch("modules/.bin/mgpu-srun", []).seen[0]).toBe("mgpu-srun");
    expect(launch("srun", [], {}, "/").seen[0]).toBe("srun");
    expect(launch("./srun", [], {}, join(root, "shims")).seen[0]).toBe("srun");
    expect(launch("sh", ["mgpu-srun"], {}, join(root, "bin")).seen[0]).toBe("mgpu-srun");
  });
  test("keeps the certificates for the job, away from Node", () => {
    expect(launch("srun", [], { NODE_EXTRA_CA_CERTS: "/c.pem" }).seen).toEqual(["srun", null, "/c.pem"]);
    expect(launch("srun", [], { NODE_EXTRA_CA_CERTS: "" }).seen).toEqual(["srun", "", null]);
  });
  test.each(["dash", "bash"])("run by %s hands over variables whose names are no shell's", (shell) => {
    const odd = { ...FUNCTION, "a.b": "1", "A-B": "ü=2", "3x": "" };
    const { seen, stderr } = launch(shell, ["bin/mgpu-sbatch"], { ...odd, LINES: "a\nb-c=1", PLAIN: "x" });
    expect(seen).toMatchObject({ ...odd, LINES: "a\nb-c=1", PLAIN: "x" });
    expect(Object.keys(seen).filter((name) => name.startsWith("MGPU_"))).toEqual(["MGPU_PROGRAM"]);
    expect(stderr).toBe("");
  });
  test("leaves out exported functions that no argument list could hold, and says so", () => {
    const { seen, stderr, status } = launch("bin/mgpu-sbatch", [], {
      "BASH_FUNC_f%%": "x".repeat(100_000),
      PLAIN: "x",
    });
    expect([status, seen.PLAIN, seen["BASH_FUNC_f%%"]]).toEqual([0, "x", undefined]);
    expect(stderr).toBe(
      "mgpu-sbatch: warning: the job gets none of your exported shell functions: they have more than 96 KiB\n",
    );
  });
  test("changes no variable of the user's", () => {
    const own = { file: "f", link: "l", root: "r", bundle: "b", entry: "e", odd: "o", HOME: "/h" };
    expect(launch("bin/mgpu-sbatch", [], own).seen).toMatchObject(own);
  });
  test.each(["dash", "bash"])("run by %s says whether a hangup is ignored", (shell) => {
    const hears = (before: string): string | undefined =>
      launch("sh", ["-c", `${before} ${shell} bin/mgpu-sbatch`]).seen.MGPU_HANGUP_IGNORED;
    expect(hears("")).toBeUndefined();
    expect(hears("trap 'echo no' HUP;")).toBeUndefined();
    expect(hears("trap '' HUP;")).toBe("1");
    expect(hears("nohup")).toBe("1");
  });
  test("says what to do where nothing is built", () => {
    mkdirSync(join(root, "fresh/bin"), { recursive: true });
    copyFileSync(join(source, "mgpu-srun"), join(root, "fresh/bin/mgpu-srun"));
    const { stderr, status } = launch("fresh/bin/mgpu-srun", []);
    expect(status).toBe(1);
    expect(stderr).toBe(`mgpu-srun: error: mgpu is not built: run npm ci in ${join(root, "fresh")}\n`);
  });
  test("has the same text for every program", () => {
    const texts = readdirSync(source).map((name) => readFileSync(join(source, name), "utf8"));
    expect(new Set(texts).size).toBe(1);
  });
});

describe("files", () => {
  const files: Files = realFiles();
  test("programs: by path, by PATH, and why not", () => {
    writeFileSync(join(root, "plain"), "");
    writeFileSync(join(root, "tool"), "#!/bin/sh\n");
    chmodSync(join(root, "tool"), 0o755);
    expect(files.findProgram("sh", "/", "/nosuch:/bin")).toBe("found");
    expect(files.findProgram("nosuch", "/", "/bin:/usr/bin")).toBe("missing");
    expect(files.findProgram("./tool", root, "")).toBe("found");
    expect(files.findProgram("tool", root, ":/bin")).toBe("found");
    expect(files.findProgram(`${root}/plain`, "/", "/bin")).toBe("not executable");
    expect(files.findProgram("plain", "/", root)).toBe("not executable");
    expect(files.findProgram("./bin", root, "")).toBe("a folder");
  });
  test("output files: missing folders will be made, other things in the way will not", () => {
    expect(files.writeProblem(join(root, "new/sub/out.txt"))).toBe("");
    expect(files.writeProblem(join(root, "plain"))).toBe("");
    expect(files.writeProblem("/dev/null")).toBe("");
    expect(files.writeProblem(root)).toBe("Is a directory");
    expect(files.writeProblem(join(root, "plain/out.txt"))).toBe("Not a directory");
  });
  test("reads files and pipes in pieces, and no further than wanted", () => {
    writeFileSync(join(root, "large"), "ab".repeat(100_000));
    const read = (path: string, most: number): string => {
      let length = 0;
      const goOn = (piece: Uint8Array): boolean => {
        length += piece.length;
        return length < most;
      };
      return Buffer.from(files.readWhile(path, goOn)).toString();
    };
    expect(read(join(root, "large"), Number.POSITIVE_INFINITY)).toBe("ab".repeat(100_000));
    expect(read("/dev/zero", 3)).toMatch(/^\0{3,65536}$/);
    spawnSync("mkfifo", [join(root, "pipe")]);
    spawn("sh", ["-c", "(echo one; echo two) >pipe"], { cwd: root });
    expect(read(join(root, "pipe"), Number.POSITIVE_INFINITY)).toBe("one\ntwo\n");
    expect(() => read(join(root, "missing"), 1)).toThrow(/ENOENT/);
    expect(() => read(root, 1)).toThrow(/EISDIR/);
  });
  test("folders", () => {
    expect([root, join(root, "plain"), join(root, "nosuch")].map(files.isFolder)).toEqual([true, false, false]);
  });
});

test("streams of a test are no terminals", () => {
  const stdio: Stdio = realStdio();
  expect(stdio.stdinIsTerminal).toBe(false);
});

/**
 * The package as somebody gets it who never saw the sources: packed, installed for all under another prefix with an
 * empty home, used, and removed again.
 */

import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const { version, bin } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

const folder = mkdtempSync(join(tmpdir(), "mgp-"));
const [prefix, home, runtime] = ["prefix", "home", "run"].map((name) => join(folder, name)) as [string, string, string];

/** Longer than two looks of a daemon at its own files (src/entry/removal.ts). */
const PATIENCE_MS = 60_000;

/** Nothing of this environment: no variable of npm's that points to the checkout, no configuration. */
const env = {
  PATH: [join(prefix, "bin"), dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(":"),
  HOME: home,
  XDG_RUNTIME_DIR: runtime,
  LANG: "C.UTF-8",
  MGPU_FAKE_GPUS: "2",
  MGPU_FRONT: "0",
  MGPU_TEST_MARK: folder,
};

function run(program: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, { env, cwd: home, encoding: "utf8", timeout: 120_000 });
  return { status, stdout, stderr };
}

function ok(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = run(program, args);
  expect({ program, args, status, stderr: status === 0 ? "" : stderr }).toEqual({
    program,
    args,
    status: 0,
    stderr: "",
  });
  return stdout;
}

/** Processes that were started from here, whatever became of them. */
function ours(): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(`MGPU_TEST_MARK=${folder}`);
    } catch {
      return false;
    }
  });
}

async function untilNoneIsLeft(): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ours().length > 0; ) {
    if (Date.now() > end) throw new Error(`still running: ${ours().join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

beforeAll(() => {
  for (const path of [prefix, home, runtime]) mkdirSync(path, { mode: 0o700 });
  // What npm ci built is packed as it is: building anew would replace it under the other tests.
  execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: ROOT, stdio: "ignore" });
  ok("npm", ["install", "--global", "--offline", "--prefix", prefix, join(folder, `mgpu-${version}.tgz`)]);
}, 120_000);

afterAll(() => {
  for (const pid of ours()) process.kill(Number(pid), "SIGKILL");
  rmSync(folder, { recursive: true });
});

test("commands run from the prefix alone, and name version, commit and protocol", () => {
  for (const name of Object.keys(bin)) {
    expect(realpathSync(join(prefix, "bin", name)).startsWith(realpathSync(prefix))).toBe(true);
    expect(ok(name, ["--version"])).toMatch(
      new RegExp(`^(${name}|mgpu) ${version} \\(commit ([0-9a-f]{10}\\+?|unknown), protocol \\d+\\.\\d+\\)\\n$`),
    );
  }
});

test("a first job, a batch job, the queue, the end", () => {
  expect(ok("mgpu-srun", ["--gpus=1", "sh", "-c", "echo on $CUDA_VISIBLE_DEVICES"])).toBe("on 0\n");
  expect(ok("mgpu-sbatch", ["--output=/dev/null", "--wrap", "true"])).toMatch(/^Submitted batch job 2\n$/);
  expect(ok("mgpu-squeue", ["-h", "-o", "%i %u", "--states=all", "--sort=i"])).toMatch(/^1 \w+\n2 \w+\n$/);
  expect(ok("mgpu-srun", ["--pty", "true"])).toBe("");
  expect(ok("mgpu", ["down", "--force"])).toMatch(/^mgpu has ended/);
});

test("programs import it, with types", () => {
  const project = join(home, "project");
  mkdirSync(join(project, "node_modules"), { recursive: true });
  symlinkSync(join(prefix, "lib/node_modules/mgpu"), join(project, "node_modules/mgpu"));
  const examples = join(ROOT, "test/examples");
  for (const name of ["library.mjs", "cluster.mjs", "typed.mts"])
    copyFileSync(join(examples, name), join(project, name));
  const node = (name: string) =>
    ok(process.execPath, [join(project, name)])
      .replace(/^\S+ has/, "This machine has")
      .replace(/^job \d+/m, "job 1");
  expect(node("library.mjs")).toBe(
    [
      ...["This machine has 2 GPUs", "job 1 failed", "training", "its exit code is 3", "on GPUs 0,1"],
      '--gpus: expected a count of GPUs or type:count, such as 2 or a100:2, got "two"',
      '--time: expected a time such as 30 (minutes), 1:30:00 or 2-12 (days-hours), or UNLIMITED, got "soon"\n',
    ].join("\n"),
  );
  expect(node("cluster.mjs")).toBe("more: 1 GPUs, this machine: 2 GPUs\n");
  // It had one of its own.
  expect(ok("mgpu-sinfo", ["-h", "-o", "%D"])).toBe("1\n");
  ok("mgpu", ["down", "--force"]);
  const words = ["--noEmit", "--strict", "--module", "nodenext", join(project, "typed.mts")];
  ok(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), ...words]);
}, 120_000);

test("manual pages are where man looks for those of this prefix", () => {
  for (const page of ["man1/mgpu.1", "man1/mgpu-srun.1", "man7/mgpu.7"]) {
    expect(readFileSync(join(prefix, "share/man", page), "utf8")).toContain(".SH NAME");
  }
});

test("systemd units start the installed daemons, and are written where the user's own systemd looks", () => {
  const printed = ok("mgpu", ["systemd", "--user"]);
  const start = /^ExecStart=(\S+)/m.exec(printed)?.[1] ?? "";
  expect(realpathSync(start).startsWith(realpathSync(prefix))).toBe(true);
  ok("mgpu", ["systemd", "--user", "--install"]);
  const unit = readFileSync(join(home, ".config/systemd/user/mgpuctld.service"), "utf8");
  expect(unit).toContain(`ExecStart=${start}`);
});

test("completion is installed where shells look, again without harm, and removed", () => {
  const shells = ["install", "bash", "zsh", "fish"];
  ok("mgpu", ["completion", ...shells]);
  ok("mgpu", ["completion", ...shells]);
  const links = ["bash-completion/completions/mgpu-srun", "zsh/site-functions/_mgpu"].map((path) =>
    join(home, ".local/share", path),
  );
  const all = [...links, join(home, ".config/fish/completions/mgpu-squeue.fish")];
  for (const path of all) expect(readFileSync(path, "utf8")).toContain("Completion of mgpu's commands");
  expect(run("mgpu", ["completion", "install", "csh"])).toMatchObject({ status: 2 });
  ok("mgpu", ["completion", "install", "--remove", "bash", "zsh", "fish"]);
  for (const path of all) expect(existsSync(path)).toBe(false);
});

test("after its removal nothing is left running, and nothing under the prefix", async () => {
  ok("mgpu-srun", ["true"]);
  expect(ours().length).toBeGreaterThan(0);
  ok("npm", ["uninstall", "--global", "--prefix", prefix, "mgpu"]);
  expect(readdirSync(join(prefix, "bin"))).toEqual([]);
  expect(existsSync(join(prefix, "lib/node_modules/mgpu"))).toBe(false);
  expect(existsSync(join(prefix, "share/man/man1/mgpu.1"))).toBe(false);
  await untilNoneIsLeft();
});

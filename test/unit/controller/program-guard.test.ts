/** Which scripts and programs may run where security.allowed_script_paths is set. */

import { expect, test } from "vitest";
import { checkPrograms, type ProgramFiles, type Submitted } from "../../../src/controller/program-guard.ts";
import { FEED_SCRIPT } from "../../../src/core/feed/job.ts";

const SCRIPT = "#!/bin/sh\necho hello\n";

/** Paths with what they lead to; text for files. */
const TREE: Readonly<Record<string, string>> = {
  "/jobs": "/data/jobs",
  "/jobs/run.sh": "/data/jobs/run.sh",
  "/data/jobs/run.sh": "/data/jobs/run.sh",
  "/jobs/train.py": "/data/jobs/train.py",
  "/jobs/out": "/home/ada/evil.sh",
  "/home/ada/in": "/data/jobs/run.sh",
  "/home/ada/evil.sh": "/home/ada/evil.sh",
  "/home/ada/python": "/home/ada/python",
  "/data/jobs2/x": "/data/jobs2/x",
  "/usr/bin": "/usr/bin",
  "/usr/bin/python3": "/usr/bin/python3",
  "/usr/bin/bash": "/usr/bin/bash",
  "/usr/bin/env": "/usr/bin/env",
};

const files: ProgramFiles = {
  resolve: async (path) => TREE[path.replace(/\/\.?\//g, "/")] ?? null,
  read: async (path) => (path === "/data/jobs/run.sh" ? new TextEncoder().encode(SCRIPT) : null),
};

async function outcome(submitted: Submitted, allowed = ["/jobs"]): Promise<string> {
  try {
    await checkPrograms(files, allowed, [submitted]);
    return "";
  } catch (error) {
    return (error as { hint?: string }).hint ?? String(error);
  }
}

const environment = { PATH: "/home/ada:/usr/bin" };

function run(argv: readonly string[], more: Partial<Submitted["program"]> = {}): Submitted {
  return { kind: "run", program: { argv, programs: [], workDir: "/home/ada", ...more }, environment, script: null };
}

function batch(path: string, script: string): Submitted {
  return { ...run([path]), kind: "batch", script: new TextEncoder().encode(script) };
}

function fed(command: string): Submitted {
  const script = new TextEncoder().encode(FEED_SCRIPT);
  return { ...run(["/jobs/run.sh", command]), kind: "batch", environment: {}, script };
}

const wrapped = (command: string) =>
  batch("wrap", `#!/bin/sh\n# This script was created by sbatch --wrap.\n\n${command}\n`);

test.each([
  ["a file in a folder", run(["/jobs/run.sh", "x"])],
  ["through a link from elsewhere, along PATH", run(["in"])],
  ["by a relative path", run(["./in"])],
  ["a link that leads out", run(["/jobs/out"]), "/jobs/out is /home/ada/evil.sh, in none of the allowed folders"],
  ["a file elsewhere", run(["/home/ada/evil.sh"]), "/home/ada/evil.sh is in none"],
  ["a folder whose name begins the same", run(["/data/jobs2/x"]), "in none"],
  ["nothing there", run(["/jobs/none"]), "/jobs/none: no such file here"],
  ["an interpreter with a file", run(["python3", "-u", "/jobs/train.py", "--lr", "1"]) as Submitted],
  ["an interpreter with other code", run(["python3", "-c", "print(1)"]), "python3 is given -c to run"],
  ["an interpreter alone", run(["bash"]), "bash is given no file to run"],
  ["an interpreter of one's own", run(["/home/ada/python", "/jobs/train.py"]), "/home/ada/python is in none"],
  ["a file elsewhere for an interpreter", run(["bash", "/home/ada/evil.sh"]), "/home/ada/evil.sh is in none"],
  ["any other program of the system", run(["env", "/jobs/run.sh"]), "env is /usr/bin/env, in none"],
  ["nothing", run([]), "there is no program to run"],
  [
    "one of several",
    run([], {
      programs: [
        { task: 0, argv: ["/jobs/run.sh"] },
        { task: 1, argv: ["env"] },
      ],
    }),
    "env is",
  ],
  ["a prolog elsewhere", run(["/jobs/run.sh"], { taskProlog: "/home/ada/evil.sh" }), "/home/ada/evil.sh is"],
  ["an allocation", { ...run(["bash"]), kind: "alloc" as const }],
  ["a script as it lies there", batch("/jobs/run.sh", SCRIPT)],
  ["a script that was changed", batch("/jobs/run.sh", `${SCRIPT}#`), "/jobs/run.sh: not what was submitted"],
  ["a script elsewhere", batch("/home/ada/evil.sh", SCRIPT), "/home/ada/evil.sh is in none"],
  ["a script from standard input", batch("sbatch", SCRIPT), "a script from standard input is no file"],
  ["a line of a feed", fed("python3 '/jobs/train.py' --lr 1")],
  ["a line of a feed with more", fed("/jobs/run.sh $(id)"), "more than a program with plain words"],
  ["a wrapped command", wrapped("python3 /jobs/train.py '--name=a b' \"c d\"")],
  ["a wrapped command of a shell", wrapped("/jobs/run.sh; /home/ada/evil.sh"), "more than a program with plain words"],
  ["a wrapped command with a variable", wrapped("PATH=/home/ada /jobs/run.sh"), "sets variables"],
  [
    "a wrapped command of two lines",
    wrapped("/jobs/run.sh\n/home/ada/evil.sh"),
    "more than a program with plain words",
  ],
])("%s", async (_, submitted, problem = "") => {
  const told = await outcome(submitted);
  if (problem === "") expect(told).toBe("");
  else expect(told).toContain(problem);
});

test("says what is allowed; without folders any program is, with folders that are gone none", async () => {
  expect(await outcome(run(["env"]), ["/jobs", "/gone"])).toContain(
    "security.allowed_script_paths allows files in /jobs, /gone",
  );
  expect(await outcome(run(["env"]), [])).toBe("");
  expect(await outcome(run(["env"]), ["/gone"])).toContain("in none of the allowed folders");
});

/** Which cluster is meant, and that those who mean mgpu's own pay nothing for the others. */

import { build } from "esbuild";
import { expect, it, test } from "vitest";
import { UserError } from "../../../src/cli/context.ts";
import { type Target, targetOf } from "../../../src/cli/target.ts";
import { configuredBackend } from "../../../src/config/backend.ts";

const OWN = "/home/ada/.config/mgpu/config.yaml";
const SYSTEM = "/etc/mgpu/config.yaml";
const PROFILES = "/home/ada/.config/mgpu/clusters.json";

interface Asked {
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cluster?: string;
}

/** What is meant, and how often the configuration was read with its parser. */
function ask({ files: texts = {}, environment: own = {}, cluster }: Asked): { target: Target; parses: number } {
  const environment = { HOME: "/home/ada", ...own };
  const read = (path: string): Uint8Array => {
    const text = texts[path];
    if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    return new TextEncoder().encode(text);
  };
  const files = { read, stat: (path: string) => ({ isFile: true, size: read(path).length }) };
  let parses = 0;
  const parse = () => {
    parses++;
    return configuredBackend(environment, files, "lab");
  };
  const ports = { environment, files, cwd: "/", cluster, configuredBackend: parse };
  return { target: targetOf(ports as unknown as Parameters<typeof targetOf>[0]), parses };
}

function slurm(source: string, place: { conf?: string; bin?: string } = {}): Target {
  return { kind: "slurm", place: { conf: "", bin: "", ...place, source } };
}

const HERE: Target = { kind: "here" };

test.each([
  ["no configuration", {}],
  ["one of other things", { [OWN]: "timezone: UTC\n" }],
  ["the sample's comment", { [OWN]: "# backend: mgpu\n  # backend: slurm\n" }],
  ["mgpu's own, said", { [OWN]: "backend: mgpu # not Slurm\nlogging: {level: info}\n" }],
  ["both places", { [OWN]: "# backend\n", [SYSTEM]: "backend: mgpu\n" }],
])("mgpu's own cluster needs no parser: %s", (_name, files) => {
  expect(ask({ files })).toEqual({ target: HERE, parses: 0 });
});

test.each([
  ["plainly", "backend: slurm\n"],
  ["in quotes, behind others", '# backend: mgpu\nlogging: {level: info}\n"backend": "slurm"\n'],
  ["in braces", "{backend: slurm}\n"],
])("the configuration chooses Slurm: %s", (_name, text) => {
  const { target, parses } = ask({ files: { [OWN]: text } });
  expect(target).toEqual(slurm(expect.stringMatching(/^backend at \/home\/ada\/\S+config\.yaml:\d+:\d+$/)));
  expect(parses).toBe(1);
});

test("the user's file stands above the machine's, -M and the variable above both", () => {
  const files = {
    [OWN]: "backend: mgpu\n",
    [SYSTEM]: "backend: slurm\n",
    [PROFILES]: JSON.stringify({
      v: 1,
      default: null,
      clusters: { centre: { backend: "slurm", conf: "/c/slurm.conf", bin: "/c/bin" } },
    }),
  };
  expect(ask({ files }).target).toEqual(HERE);
  expect(ask({ files, environment: { MGPU_BACKEND: "slurm" } }).target).toEqual(slurm("MGPU_BACKEND=slurm"));
  const centre = { conf: "/c/slurm.conf", bin: "/c/bin" };
  expect(ask({ files, cluster: "centre", environment: { MGPU_BACKEND: "mgpu" } }).target).toEqual(
    slurm("-M centre", centre),
  );
  const { [OWN]: _own, ...system } = files;
  expect(ask({ files: system }).target).toEqual(slurm("backend at /etc/mgpu/config.yaml:1:10"));
  expect(ask({ files: system, cluster: "local" }).target).toEqual(HERE);
  expect(ask({ files: system, environment: { MGPU_BACKEND: "mgpu" } }).target).toEqual(HERE);
});

test("wrong words are refused with their place", () => {
  const refusal = (asked: Asked): string => {
    try {
      return JSON.stringify(ask(asked));
    } catch (error) {
      return error instanceof UserError ? error.problems.join("; ") : String(error);
    }
  };
  expect(refusal({ files: { [OWN]: "backend: slurmm\n" } })).toMatch(
    /^\/home\/ada\/\.config\/mgpu\/config\.yaml:1:10: backend: expected mgpu or slurm/,
  );
  expect(refusal({ files: { [OWN]: "Backend: slurm\n" } })).toMatch(/Backend: there is no such section/);
  expect(refusal({ environment: { MGPU_BACKEND: "slurmm" } })).toMatch(/MGPU_BACKEND: expected mgpu or slurm/);
  expect(refusal({ cluster: "center" })).toMatch(/no profile is called "center"/);
  const both = { MGPU_BACKEND: "slurm", MGPU_CONTROLLER: "unix:/tmp/s" };
  expect(refusal({ environment: both })).toMatch(/MGPU_BACKEND=slurm and MGPU_CONTROLLER are both set/);
});

/** Commands that people wait for. */
const PLAIN = ["mgpu-squeue", "mgpu-srun", "mgpu-sbatch", "mgpu-scancel", "mgpu-sinfo"];

it("plain commands have neither Slurm's side nor a parser of configurations in them", async () => {
  const { metafile } = await build({
    entryPoints: PLAIN.map((name) => new URL(`../../../src/entry/programs/${name}.ts`, import.meta.url).pathname),
    ...{ bundle: true, platform: "node", format: "cjs", metafile: true, write: false, outdir: "nowhere" },
    external: ["msgpackr-extract"],
  });
  for (const [output, { inputs }] of Object.entries(metafile.outputs)) {
    const heavy = Object.keys(inputs).filter((path) => /node_modules\/yaml\/|src\/backend\//.test(path));
    expect({ output, heavy }).toEqual({ output, heavy: [] });
  }
});

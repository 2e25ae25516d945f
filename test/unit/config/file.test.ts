import { describe, expect, test } from "vitest";
import { readConfig } from "../../../src/config/file.ts";
import { configPlaces, loadConfig } from "../../../src/config/load.ts";
import { jsonSchema, sampleText } from "../../../src/config/sample.ts";
import { FILE_KEYS, nameOf, PLAIN_KEYS, sectionOf } from "../../../src/config/schema.ts";
import { SETTINGS } from "../../../src/config/settings.ts";

const of = (name: string, node = "", hostname = "") => ({ name, node, hostname });

const problems = (text: string): readonly string[] => {
  const read = readConfig(text, of("c.yaml"));
  return "problems" in read ? read.problems : [];
};

describe("a configuration file", () => {
  test("gives the texts of settings, and where each stands", () => {
    const text = "# ours\ncluster:\n  name: lab\n  licenses: [matlab:2, ansys:1]\nlimits: {kill_wait: 007}\n";
    expect(readConfig(text, of("c.yaml"))).toEqual({
      texts: { MGPU_CLUSTER_NAME: "lab", MGPU_LICENSES: "matlab:2,ansys:1", MGPU_KILL_WAIT: "007" },
      modelFile: null,
      places: { MGPU_CLUSTER_NAME: "c.yaml:3:9", MGPU_LICENSES: "c.yaml:4:13", MGPU_KILL_WAIT: "c.yaml:5:21" },
    });
  });

  test("may be JSON, empty, or have sections and keys without values", () => {
    expect(readConfig('{"limits": {"kill_wait": 5}}', of("c"))).toMatchObject({ texts: { MGPU_KILL_WAIT: "5" } });
    for (const text of ["", "# nothing\n", "limits:\n", "limits:\n  kill_wait:\n"]) {
      expect(readConfig(text, of("c"))).toEqual({ texts: {}, places: {}, modelFile: null });
    }
  });

  test("says of one node what goes above what it says of all", () => {
    const text = "node: {cpus: 4, memory: 100}\nnodes: {n1: {cpus: 8}, n2: {cpus: 16}}\n";
    const cpus = (...node: string[]) => {
      const read = readConfig(text, of("c", ...node));
      return "texts" in read ? [read.texts.MGPU_CPUS, read.texts.MGPU_MEMORY] : read;
    };
    expect(cpus("n1", "n2")).toEqual(["8", "100"]);
    expect(cpus("", "n2")).toEqual(["16", "100"]);
    expect(cpus("n3")).toEqual(["4", "100"]);
  });

  test("names partitions, whose keys are scontrol's; each mistake has its place", () => {
    const text = "partitions:\n  gpu: {nodes: [n1, n2], max_time: 1:00:00, default: yes}\n  table:\n    nodes: ALL\n";
    expect(readConfig(text, of("c.yaml"))).toMatchObject({
      texts: { MGPU_PARTITIONS: "gpu nodes=n1,n2 default=yes max_time=1:00:00; table nodes=ALL" },
      places: { MGPU_PARTITIONS: "c.yaml:2:3" },
    });
    expect(readConfig("partitions:\n", of("c"))).toMatchObject({ texts: {} });
    const wrong = [
      "partitions:",
      "  gpu: {nods: n1, max_time: soon, min_nodes: 3}",
      "  a/b: {}",
      "  cpu:",
      "    min_nodes: 3",
      "    max_nodes: 2",
    ].join("\n");
    expect(problems(wrong)).toEqual([
      "c.yaml:2:9: partitions.gpu.nods: there is no such key; did you mean nodes?",
      expect.stringContaining("c.yaml:2:29: partitions.gpu.max_time: "),
      "c.yaml:3:3: partitions.a/b: expected the name of a partition",
      "c.yaml:5:5: partitions.cpu: min_nodes 3 is above max_nodes 2",
    ]);
  });

  test("that is wrong is told of all at once, in its order, each with its place", () => {
    const text = [
      "limits:",
      "  kill_wiat: 3",
      "  min_job_age: soon",
      "loging: {level: info}",
      "nodes:",
      "  n1: {colour: red, cpus: 0}",
    ].join("\n");
    expect(problems(text)).toEqual([
      "c.yaml:2:3: limits.kill_wiat: there is no such key; did you mean kill_wait?",
      'c.yaml:3:16: limits.min_job_age: expected seconds, got "soon"',
      "c.yaml:4:1: loging: there is no such section; did you mean logging?",
      "c.yaml:6:8: nodes.n1.colour: there is no such key; known are address, listen, cpus, memory, fake_gpus, features, weight, memory_enforcement",
      'c.yaml:6:27: nodes.n1.cpus: expected a count, at least 1, got "0"',
    ]);
  });

  test.each([
    ["a list", "[1, 2]", "c.yaml:1:1: expected sections such as limits:"],
    ["a word", "hello", "c.yaml:1:1: expected sections such as limits:"],
    ["a section that is none", "limits: 3", "c.yaml:1:9: limits: expected keys with values"],
    ["a key of keys", "limits: {kill_wait: {a: 1}}", "c.yaml:1:21: limits.kill_wait: expected seconds"],
    ["a key twice", "limits: {kill_wait: 1, kill_wait: 2}", /^c\.yaml:1:24: /],
    ["tabs", "limits:\n\tkill_wait: 3", /^c\.yaml:2:1: /],
    ["a node's name that is none", "nodes: {'a b': {cpus: 1}}", /^c\.yaml:1:\d+: nodes\.a b: /],
    ["two documents", "limits:\n---\nlimits:\n", /^c\.yaml:2:/],
  ])("%s is refused", (_, text, problem) => {
    expect(problems(text)).toEqual([typeof problem === "string" ? problem : expect.stringMatching(problem)]);
  });

  test("has GPUs by model, as it is or as a predecessor wrote it", () => {
    const table = (text: string) => {
      const read = readConfig(text, of("c"));
      return "texts" in read ? read.texts.MGPU_MODELS : read.problems;
    };
    expect(table("models: {default_requirement: 1, llama-70b: 4, org/m:1b: a100:2}")).toBe(
      "default_requirement=1,llama-70b=4,org/m:1b=a100:2",
    );
    expect(table('{"models": {"default_requirement": 1.0, "models": {"x": 0.5}}}')).toBe(
      "default_requirement=1.0,x=0.5",
    );
    expect(table("models:\n  a,b: 1\n  x: many\n")).toEqual([
      expect.stringMatching(/^c:3:6: models\.x: expected GPUs, such as 2, 0\.5 or a100:2, got "many"$/),
    ]);
  });

  test("aliases can't blow a small file up", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdefgh".split("").map((one, i) => `${one}: &${one} [${`*${"abcdefgh"[i]},`.repeat(9)}]`),
    ];
    expect(problems(bomb.join("\n"))[0]).toMatch(/alias/i);
  });
});

describe("the file that is read", () => {
  const files = (content: Record<string, string | Uint8Array>) => ({
    stat(path: string) {
      if (!(path in content)) throw Object.assign(new Error(path), { code: "ENOENT" });
      return { isFile: content[path] !== "folder", size: (content[path] as string).length };
    },
    read: (path: string) => Buffer.from(content[path] as string),
  });
  const node = { name: "", hostname: "h" };

  test("is the one that MGPU_CONFIG names, else the user's, else the machine's", () => {
    expect(configPlaces({ MGPU_CONFIG: "/x.yaml", HOME: "/h" })).toEqual(["/x.yaml"]);
    expect(configPlaces({ HOME: "/h" })[0]).toBe("/h/.config/mgpu/config.yaml");
    expect(configPlaces({ HOME: "/h", XDG_CONFIG_HOME: "/x" })[0]).toBe("/x/mgpu/config.yaml");
    const both = { "/etc/mgpu/config.yaml": "", "/h/.config/mgpu/config.json": "{}" };
    expect(loadConfig({ HOME: "/h" }, files(both), node)).toMatchObject({ path: "/h/.config/mgpu/config.json" });
    expect(loadConfig({}, files(both), node)).toMatchObject({ path: "/etc/mgpu/config.yaml" });
    expect(loadConfig({ HOME: "/h" }, files({}), node)).toMatchObject({ path: null });
  });

  test("names a file of models, whose problems have places of their own", () => {
    const config = "models:\n  file: llm_config.json\n  y: 2\n";
    const found = (llm: string) =>
      loadConfig({ MGPU_CONFIG: "/d/c" }, files({ "/d/c": config, "/d/llm_config.json": llm }), node);
    expect(found('{"default_requirement": 1, "models": {"x": 0.5, "y": 1}}')).toMatchObject({
      file: { texts: { MGPU_MODELS: "default_requirement=1,x=0.5,y=1,y=2" } },
    });
    expect(found('{"models": {\n  "x": -1\n}}')).toEqual({
      problems: ['/d/llm_config.json:2:8: models.models.x: expected GPUs, such as 2, 0.5 or a100:2, got "-1"'],
    });
    expect(loadConfig({ MGPU_CONFIG: "/d/c" }, files({ "/d/c": config }), node)).toEqual({
      problems: [expect.stringMatching(/models\.file: \/d\/llm_config\.json: No such file/)],
    });
  });

  test.each([
    ["is missing", {}, "/c: No such file or directory"],
    ["is a folder", { "/c": "folder" }, /^\/c: this is no plain file/],
    ["is huge", { "/c": "#".repeat(2 ** 20 + 1) }, /^\/c: larger than/],
    ["is no text", { "/c": Buffer.from([0xff, 0xfe, 0xff]) as never }, "/c: this is no UTF-8 text"],
  ])("one that was named and %s is a problem", (_, content, problem) => {
    const found = loadConfig({ MGPU_CONFIG: "/c" }, files(content as Record<string, string>), node);
    expect(found).toEqual({ problems: [typeof problem === "string" ? problem : expect.stringMatching(problem)] });
  });
});

describe("the sample and the schema", () => {
  test("the sample is a file without a problem that says nothing", () => {
    expect(readConfig(sampleText(), of("sample"))).toEqual({ texts: {}, places: {}, modelFile: null });
  });

  test("the sample's defaults are what holds without a file", () => {
    const text = sampleText()
      .split("\n")
      .map((line) =>
        line.replace(/^( {2}|)# (\w+:.*)$/, (whole, indent: string, rest: string) =>
          isKey(rest) ? `${indent}${rest}` : whole,
        ),
      )
      .join("\n");
    const read = readConfig(text, of("sample"));
    if ("problems" in read) throw new Error(read.problems.join("\n"));
    for (const { variable, fallback } of FILE_KEYS.filter(({ key }) => key !== "models.table"))
      expect(read.texts[variable] ?? "").toBe(fallback);
  });
  const isKey = (rest: string) => FILE_KEYS.some(({ key }) => rest.startsWith(`${nameOf(key)}:`));

  test("the schema has every key", () => {
    const { properties } = jsonSchema() as { properties: Record<string, { properties: object }> };
    for (const { key } of PLAIN_KEYS) expect(properties[sectionOf(key)]?.properties).toHaveProperty([nameOf(key)]);
    for (const section of ["nodes", "partitions", "models"]) expect(Object.keys(properties)).toContain(section);
  });

  test("no two settings share a key or a variable", () => {
    const all = Object.values(SETTINGS);
    expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
    expect(new Set(all.map(({ variable }) => variable)).size).toBe(all.length);
  });
});

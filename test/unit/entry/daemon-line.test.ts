/** The flags of the daemons, over the settings from the environment. */

import { describe, expect, test } from "vitest";
import { CONTROLLER_OPTION, NODE_OPTIONS, parseDaemonLine } from "../../../src/entry/daemon-line.ts";

const OPTIONS = [...NODE_OPTIONS, CONTROLLER_OPTION];

function parse(line: string, environment: Record<string, string> = {}, texts: Record<string, string> = {}) {
  const find = () => ({ path: "/c.yaml", file: { texts, places: {}, modelFile: null } });
  return parseDaemonLine(OPTIONS, line === "" ? [] : line.split(" "), environment, find);
}

describe("the flags of mgpud", () => {
  test("say what the node offers", () => {
    const line = "--node-id a --cpus 8 --memory 4000 --gpu-count 4 --features ib,ssd,ib --controller /run/c.sock";
    const { settings, problems } = parse(line);
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      nodeName: "a",
      cpus: 8,
      memoryMiB: 4000,
      fakeGpus: "4",
      features: ["ib", "ssd"],
      controllerSocket: "/run/c.sock",
    });
  });

  test("go above variables; without both there are defaults", () => {
    const variables = { MGPU_NODE_ID: "b", MGPU_CPUS: "2", MGPU_FEATURES: "tape", MGPU_CONTROLLER_SOCKET: "/c" };
    expect(parse("--node-id a --features ssd", variables).settings).toMatchObject({
      nodeName: "a",
      cpus: 2,
      features: ["ssd"],
      controllerSocket: "/c",
    });
    expect(parse("").settings).toMatchObject({ nodeName: "", cpus: 0, features: [], controllerSocket: "" });
  });

  test("and variables go above the file; an empty variable says nothing", () => {
    const texts = { MGPU_NODE_ID: "f", MGPU_CPUS: "9", MGPU_MEMORY: "100", MGPU_FEATURES: "file" };
    const { settings, given } = parse("--features ssd", { MGPU_CPUS: "2", MGPU_MEMORY: "" }, texts);
    expect(settings).toMatchObject({ nodeName: "f", cpus: 2, memoryMiB: 100, features: ["ssd"] });
    expect(given).not.toHaveProperty("MGPU_NODE_ID");
  });

  test("a file that is wrong is told of with the rest", () => {
    const find = () => ({ problems: ["/c.yaml:1:2: limits.x: there is no such key"] });
    const { problems, configPath } = parseDaemonLine(OPTIONS, ["--cpus", "many"], {}, find);
    expect(problems).toEqual(["/c.yaml:1:2: limits.x: there is no such key", expect.stringMatching(/^--cpus/)]);
    expect(configPath).toBeNull();
  });

  test("are all complained of at once", () => {
    expect(parse("--cpus many --features a,,b --controller here --bogus now").problems).toEqual([
      expect.stringContaining("bogus"),
      'unexpected argument "now"',
      '--cpus: expected a count, at least 1, got "many"',
      '--features: expected words with commas between them, got "a,,b"',
      '--controller: expected the absolute path of a socket, got "here"',
    ]);
  });
});

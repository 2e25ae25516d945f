import { describe, expect, test } from "vitest";
import { placesFrom } from "../../../src/config/places.ts";
import { formatRemembered, parseRemembered, resumeSettings } from "../../../src/config/remembered.ts";
import { givenSettings, settingsFrom } from "../../../src/config/settings.ts";

describe("settings from the environment", () => {
  test.each([
    ["MGPU_CPUS", "0", "a count, at least 1"],
    ["MGPU_CPUS", "many", "a count, at least 1"],
    ["MGPU_CPUS", "-1", "a count, at least 1"],
    ["MGPU_CPUS", "1.5", "a count, at least 1"],
    ["MGPU_MEMORY", "0", "MiB, at least 1"],
    ["MGPU_MEMORY", "16G", "MiB, at least 1"],
    ["MGPU_KILL_WAIT", "soon", "seconds"],
  ])("%s=%s is refused", (variable, text, expected) => {
    expect(settingsFrom({ [variable]: text }).problems).toEqual([`${variable}: expected ${expected}, got "${text}"`]);
  });

  test("without variables, or with empty ones, the machine has what it has", () => {
    expect(settingsFrom({ MGPU_CPUS: "" })).toMatchObject({ settings: { cpus: 0, memoryMiB: 0 }, problems: [] });
    expect(settingsFrom({ MGPU_CPUS: "3", MGPU_MEMORY: "512" }).settings).toMatchObject({ cpus: 3, memoryMiB: 512 });
  });

  test("those that were given", () => {
    const env = { MGPU_CPUS: "8", MGPU_MEMORY: "", MGPU_HOME: "/x", PATH: "/bin" };
    expect(givenSettings(env)).toEqual({ MGPU_CPUS: "8" });
  });
});

describe("settings of a controller that crashed", () => {
  const before = { MGPU_FAKE_GPUS: "4", MGPU_CPUS: "8" };

  test("are used where the environment says nothing", () => {
    expect(resumeSettings(before, { PATH: "/bin" })).toEqual({ added: before, differences: [] });
    expect(resumeSettings(before, { MGPU_CPUS: "8" })).toEqual({ added: { MGPU_FAKE_GPUS: "4" }, differences: [] });
  });

  test("give way to the environment, which is told", () => {
    expect(resumeSettings(before, { MGPU_FAKE_GPUS: "2", MGPU_CPUS: "", MGPU_MEMORY: "512" })).toEqual({
      added: {},
      differences: [
        "MGPU_CPUS is empty here, it was 8",
        "MGPU_MEMORY is 512 here, it was not set",
        "MGPU_FAKE_GPUS is 2 here, it was 4",
      ],
    });
  });

  test("are none after a clean end: nothing is added and nothing differs", () => {
    expect(resumeSettings(null, { MGPU_CPUS: "2" })).toEqual({ added: {}, differences: [] });
  });

  test("are kept as JSON; what is none of ours is nothing", () => {
    expect(parseRemembered(formatRemembered(before))).toEqual(before);
    for (const text of ["", "{", "[]", "null", "3"]) expect(parseRemembered(text)).toBeNull();
    expect(parseRemembered('{"MGPU_CPUS": 8, "MGPU_MEMORY": "5"}')).toEqual({ MGPU_MEMORY: "5" });
  });
});

test("sockets lie elsewhere where XDG_RUNTIME_DIR can't hold them", () => {
  const env = { HOME: "/home/ada", XDG_RUNTIME_DIR: "/run/user/1001" };
  expect(placesFrom(env, 1000, () => true).runtime).toMatch(/^\/run\/user\/1001\/mgpu-[0-9a-f]+$/);
  expect(placesFrom(env, 1000, (folder) => folder !== "/run/user/1001").runtime).toMatch(
    /^\/tmp\/mgpu-1000-[0-9a-f]+$/,
  );
});

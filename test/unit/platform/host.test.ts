import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { describeOs, outwardAddress, parseMemTotal, readHost, shortHostname } from "../../../src/platform/host.ts";

describe("host facts", () => {
  it("of this machine make sense", () => {
    const host = readHost();
    expect(host.hostname).toMatch(/^[^.]+$/);
    expect(host.cpus).toBeGreaterThan(0);
    expect(host.memoryMiB).toBeGreaterThan(0);
    expect(host.bootId).toMatch(/^[0-9a-f-]{36}$/);
    // As uname -m says, which is what Slurm shows: x86_64.
    expect(host.arch).toBe(execFileSync("uname", ["-m"], { encoding: "utf8" }).trim());
    expect(host.os).toContain("Linux");
  });

  it.each([
    ["gpu1.lab.example", "gpu1"],
    ["gpu1", "gpu1"],
    ["", "localhost"],
  ])("the short name of %j is %s", (hostname, short) => {
    expect(shortHostname(hostname)).toBe(short);
  });

  it.each([
    ["Iface\tDestination\neth1\t0000A8C0\t0\neth0\t00000000\t01\n", ["lo", "eth0", "eth1"], "10.0.0.0"],
    ["Iface\tDestination\n", ["lo", "eth0"], "10.0.0.0"],
    ["", ["lo", "eth0", "eth1"], ""],
    ["", ["lo"], ""],
    ["eth9\t00000000\t01\n", ["eth0"], ""],
  ])("its address for others, with routes %j and interfaces %j, is %j", (routes, names, address) => {
    const one = (name: string) => [
      { address: "fe80::1", family: "IPv6", internal: false },
      { address: `10.0.0.${name.slice(-1)}`, family: "IPv4", internal: name === "lo" },
    ];
    expect(outwardAddress(routes, Object.fromEntries(names.map((name) => [name, one(name)])))).toBe(address);
  });

  it("memory is counted in MiB", () => {
    expect(parseMemTotal("MemFree: 1 kB\nMemTotal:       131841892 kB\n")).toBe(128_751);
    expect(parseMemTotal("")).toBeUndefined();
  });

  it.each([
    ['NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n', "Ubuntu 24.04.1 LTS, Linux 6.8.0"],
    ["PRETTY_NAME=Alpine\n", "Alpine, Linux 6.8.0"],
    ["", "Linux 6.8.0"],
  ])("%j names the system", (text, name) => {
    expect(describeOs(text, "Linux", "6.8.0")).toBe(name);
  });
});

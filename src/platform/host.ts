/** What this machine is. Read once at start; each fact has a fallback, so reading never fails. */

import * as os from "node:os";
import { textOf } from "./kernel-text.ts";

export interface HostFacts {
  /** Without its domain. */
  readonly hostname: string;
  /** CPUs that this process may use: its affinity counts. */
  readonly cpus: number;
  /** All the memory of the machine. */
  readonly memoryMiB: number;
  /** Changes with each boot; empty where the kernel does not tell. */
  readonly bootId: string;
  /** `Ubuntu 24.04.1 LTS, Linux 6.8.0`. */
  readonly os: string;
  readonly arch: string;
  /** Where other machines reach this one, as it is now; empty where that can't be told. */
  address(): string;
}

/** The facts of the machine that this process runs on. */
export function readHost(): HostFacts {
  return {
    hostname: shortHostname(os.hostname()),
    cpus: os.availableParallelism(),
    memoryMiB: parseMemTotal(textOf("/proc/meminfo")) ?? Math.floor(os.totalmem() / 2 ** 20),
    bootId: textOf("/proc/sys/kernel/random/boot_id").trim(),
    os: describeOs(textOf("/etc/os-release"), os.type(), os.release()),
    arch: os.machine(),
    address: () => outwardAddress(textOf("/proc/net/route"), os.networkInterfaces()),
  };
}

/** Numbers of this machine's interfaces, loopback left out. */
export function ownAddresses(): string[] {
  return Object.values(os.networkInterfaces()).flatMap((all = []) =>
    all.flatMap(({ address, internal }) => (internal ? [] : [address])),
  );
}

/** What Node tells of one address of an interface. */
interface InterfaceAddress {
  readonly address: string;
  readonly family: string;
  readonly internal: boolean;
}

/**
 * The IPv4 address of the interface with the default route, else the only one that leaves the machine; empty where
 * there is none, or several and nothing to choose by.
 * @param routes /proc/net/route: a header, then interface and destination in hexadecimal, each first in their lines
 */
export function outwardAddress(
  routes: string,
  interfaces: Readonly<Record<string, readonly InterfaceAddress[] | undefined>>,
): string {
  const of = (name: string): string[] =>
    (interfaces[name] ?? []).flatMap((one) => (one.family === "IPv4" && !one.internal ? [one.address] : []));
  const byDefault = /^(\S+)\t00000000\t/m.exec(routes)?.[1];
  if (byDefault) return of(byDefault)[0] ?? "";
  const all = Object.keys(interfaces).flatMap(of);
  return all.length === 1 ? (all[0] ?? "") : "";
}

/** `gpu1` of `gpu1.lab.example`. */
export function shortHostname(hostname: string): string {
  return hostname.split(".")[0] || "localhost";
}

/** MiB of the MemTotal line of /proc/meminfo, which counts kB; `undefined` if there is none. */
export function parseMemTotal(text: string): number | undefined {
  const match = /^MemTotal:\s+(\d+) kB$/m.exec(text);
  return match ? Math.floor(Number(match[1]) / 1024) : undefined;
}

/** The distribution's name and the kernel; the kernel alone where /etc/os-release says nothing. */
export function describeOs(osRelease: string, kernel: string, release: string): string {
  const pretty = /^PRETTY_NAME=(.*)$/m
    .exec(osRelease)?.[1]
    ?.trim()
    .replace(/^(["'])(.*)\1$/, "$2");
  const version = `${kernel} ${release}`;
  return pretty ? `${pretty}, ${version}` : version;
}

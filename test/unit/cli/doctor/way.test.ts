/** Every step of the way to a controller, and where it ends. */

import { describe, expect, test } from "vitest";
import { goTo } from "../../../../src/cli/doctor/way.ts";
import type { Probe } from "../../../../src/platform/probe.ts";
import { RpcError } from "../../../../src/protocol/errors.ts";
import { connected, fakePeer } from "../fake-context.ts";

interface Net {
  readonly name?: Partial<Probe> & { readonly addresses?: readonly string[] };
  readonly route?: Partial<Probe>;
  /** By port. */
  readonly ports?: Readonly<Record<number, string>>;
  readonly missed?: boolean;
  /** What TLS or the other side says; nothing for a welcome. */
  readonly refusal?: Error;
  readonly key?: null;
  readonly own?: readonly string[];
}

const key = { identity: "user/ada/1", key: "00", source: "the profile lab" };

/** What is said of the way to gpu0:7411, one `WHAT VERDICT: TEXT` each. */
async function way(net: Net): Promise<string[]> {
  const probe = { code: "", ms: 1 };
  const ports = {
    addresses: net.own ?? ["10.0.0.7"],
    prober: {
      name: async () => ({ ...probe, addresses: ["10.0.0.1"], ...net.name }),
      route: async () => ({ ...probe, from: "10.0.0.7", ...net.route }),
      isMissed: () => net.missed ?? false,
      port: async (_host: string, port: number) => ({ ...probe, code: net.ports?.[port] ?? "" }),
    },
    connect: async () => {
      if (net.refusal) throw net.refusal;
      return connected(fakePeer({}));
    },
  };
  const { findings } = await goTo(ports, { target: "gpu0:7411", key: net.key === null ? null : key }, "0.1.0");
  for (const one of findings) expect(one.fix === "").toBe(one.verdict === "ok");
  return findings.map(({ what, verdict, text }) => `${what} ${verdict}: ${text}`);
}

const error = (code: string): Error => Object.assign(new Error(code), { code });

test("a way without trouble", async () => {
  expect(await way({})).toEqual([
    "name ok: gpu0 is 10.0.0.1",
    "route ok: from 10.0.0.7",
    "port ok: 7411 is open, 1 ms away",
    "key ok: user/ada/1 (the profile lab)",
    "version ok: mgpu 0.1.0, protocol 1.0",
  ]);
});

describe("its last line where it ends", () => {
  const alert = (name: string): Error => error(`ERR_SSL_${name}`);
  test.each<[string, Net, string]>([
    ["unknown name", { name: { code: "ENOTFOUND", addresses: [] } }, "name fail: the name gpu0 is unknown here"],
    [
      "silent name server",
      { name: { code: "ETIMEDOUT", addresses: [] } },
      "name fail: no name server answers for gpu0",
    ],
    ["no route", { route: { code: "ENETUNREACH" } }, "route fail: this machine knows no way to 10.0.0.1 (ENETUNREACH)"],
    ["router says no", { ports: { 7411: "EHOSTUNREACH" } }, "port fail: there is no route to it"],
    ["refused", { ports: { 7411: "ECONNREFUSED" } }, "port fail: nobody listens there (connection refused)"],
    [
      "refused by ourselves",
      { ports: { 7411: "ECONNREFUSED" }, own: ["10.0.0.1"] },
      "port fail: this machine is gpu0, and nothing listens at 10.0.0.1:7411",
    ],
    [
      "dropped",
      { ports: { 7411: "ETIMEDOUT", 1: "ECONNREFUSED" } },
      "firewall fail: gpu0 answers, but port 7411 is silent: a firewall drops it",
    ],
    [
      "off",
      { ports: { 7411: "ETIMEDOUT", 1: "ETIMEDOUT" } },
      "port fail: no answer at port 7411 or any other: gpu0 is off, or a firewall drops all that comes from here",
    ],
    [
      "nobody's number",
      { ports: { 7411: "ETIMEDOUT", 1: "EHOSTUNREACH" }, missed: true },
      "host fail: no machine of this network has the number 10.0.0.1",
    ],
    [
      "nobody's number, as a router says",
      { ports: { 7411: "ETIMEDOUT", 1: "EHOSTUNREACH" } },
      "host fail: nobody answers at 10.0.0.1, and the network says that it can't be reached (EHOSTUNREACH)",
    ],
    ["wrong key", { refusal: alert("TLSV1_ALERT_DECRYPT_ERROR") }, "key fail: user/ada/1: wrong key"],
    ["revoked", { refusal: alert("SSLV3_ALERT_HANDSHAKE_FAILURE") }, "key fail: user/ada/1: it does not know this key"],
    [
      "no key here",
      { key: null, refusal: alert("SSLV3_ALERT_HANDSHAKE_FAILURE") },
      "key fail: a controller answers, and there is no key for it here",
    ],
    [
      "something else",
      { refusal: alert("WRONG_VERSION_NUMBER") },
      "answer fail: something else than mgpu answers there",
    ],
    ["version", { refusal: new RpcError("VERSION", "one speaks 1, one 2") }, "version fail: one speaks 1, one 2"],
    [
      "hangs",
      { refusal: new RpcError("DEADLINE", "no answer from gpu0:7411 within 10 s") },
      "answer fail: it takes the connection and says nothing",
    ],
  ])("%s", async (_, net, last) => {
    expect((await way(net)).at(-1)).toBe(last);
  });
});

test("a name that means every machine itself, as some distributions write it to /etc/hosts", async () => {
  const found = await way({ name: { addresses: ["127.0.1.1"] } });
  expect(found[0]).toBe("name warn: gpu0 is 127.0.1.1, which is every machine's own number");
});

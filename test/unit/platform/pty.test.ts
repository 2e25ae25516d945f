import { closeSync, readSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { describe, expect, test } from "vitest";
import { realPtys } from "../../../src/platform/pty.ts";
import { PTY_MODULE } from "../holder/ports.ts";

describe("a terminal", () => {
  test("carries bytes both ways, takes input only while it has room, and leaves no descriptor", async () => {
    const ptys = realPtys(PTY_MODULE);
    expect(ptys.descriptors.size).toBe(0);
    const pty = ptys.open(80, 24);
    expect(ptys.descriptors.size).toBe(2);
    const terminal = pty.openTerminal();
    const asProgram = new ReadStream(terminal);
    let shown = "";
    const ended = new Promise<void>((resolve) =>
      pty.source.start((chunk) => {
        shown += Buffer.from(chunk).toString();
      }, resolve),
    );
    expect(pty.print(Buffer.from("printed\n"))).toBe(8);
    expect(pty.type(Buffer.from("typed\r"))).toBe(6);
    while (!shown.includes("typed")) await new Promise((resolve) => setImmediate(resolve));
    expect(shown).toBe("printed\r\ntyped\r\n");
    asProgram.setRawMode(true);
    pty.resize(99, 33);
    expect(asProgram.isRaw).toBe(true);
    let typed = 0;
    for (let taken = 1; taken > 0; typed += taken) taken = pty.type(Buffer.alloc(1024));
    expect(typed).toBeGreaterThan(1_000);
    expect(typed).toBeLessThan(100_000);
    asProgram.destroy();
    pty.close();
    pty.close();
    await ended;
    await new Promise((resolve) => setImmediate(resolve));
    expect(ptys.descriptors.size).toBe(0);
    expect(pty.type(Buffer.from("x"))).toBe(1);
  });

  test("a child's descriptor is its own, and blocking", () => {
    const pty = realPtys(PTY_MODULE).open(80, 24);
    const terminal = pty.openTerminal();
    expect(writeSync(terminal, "x")).toBe(1);
    pty.type(Buffer.from("line\r"));
    const buffer = Buffer.alloc(100);
    expect(buffer.toString("latin1", 0, readSync(terminal, buffer))).toBe("line\n");
    closeSync(terminal);
    pty.close();
  });

  test("a module that is not there is told", () => {
    expect(() => realPtys("/no/such/pty.node").open(80, 24)).toThrow(/no\/such/);
  });
});

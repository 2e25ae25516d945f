/**
 * Required by the controller that is measured (NODE_OPTIONS), which knows nothing of it: from a first SIGUSR2 on it notes the
 * longest time between two turns of the event loop, at a second one it writes that down. On a machine that others use such a
 * time may have been spent waiting for a processor, so the CPU time that went by meanwhile is noted as well.
 */

const { writeFileSync } = require("node:fs");
const { performance } = require("node:perf_hooks");

const TICK_MS = 5;

if (process.argv.some((word) => word.includes("mgpuctld"))) {
  let timer = null;
  let longest = { wallMs: 0, cpuMs: 0 };
  process.on("SIGUSR2", () => {
    if (timer !== null) {
      clearInterval(timer);
      timer = null;
      writeFileSync(`${process.env.MGPU_HOME}/stall.json`, JSON.stringify(longest));
      return;
    }
    longest = { wallMs: 0, cpuMs: 0 };
    let last = performance.now();
    let cpu = process.cpuUsage();
    timer = setInterval(() => {
      const [now, used] = [performance.now(), process.cpuUsage()];
      const wallMs = Math.max(0, now - last - TICK_MS);
      const spentMs = (used.user + used.system - cpu.user - cpu.system) / 1000;
      longest = {
        wallMs: Math.max(longest.wallMs, wallMs),
        cpuMs: Math.max(longest.cpuMs, Math.min(wallMs, spentMs)),
      };
      [last, cpu] = [now, used];
    }, TICK_MS);
  });
}

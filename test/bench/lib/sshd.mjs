/** An sshd of its own on a loopback port, with keys made for it: what people would use in place of srun's streams. */

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SSHD = "/usr/sbin/sshd";
const START_LIMIT_MS = 5000;

/**
 * @param {string} folder for its keys
 * @returns {Promise<{words: string, stop(): void} | null>} the words before a command that run it there; null without sshd
 */
export async function startSshd(folder) {
  if (!existsSync(SSHD) || !existsSync("/usr/bin/ssh")) return null;
  const path = (name) => join(folder, name);
  for (const name of ["host", "user"]) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path(name)]);
  // sshd wants it, wherever it keeps everything else.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const port = await freePort();
  const settings = [
    ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${path("host")}`, `PidFile ${path("pid")}`],
    ...[`AuthorizedKeysFile ${path("user.pub")}`, "StrictModes no", "UsePAM no", "PermitRootLogin yes"],
  ];
  writeFileSync(path("sshd_config"), `${settings.join("\n")}\n`);
  const daemon = spawn(SSHD, ["-D", "-f", path("sshd_config")], { stdio: "ignore" });
  const options = `-p ${port} -i ${path("user")} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
  const words = `ssh ${options} ${userInfo().username}@127.0.0.1`;
  const end = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      execFileSync("sh", ["-c", `${words} true`], { stdio: "ignore" });
      return { words, stop: () => void daemon.kill() };
    } catch (error) {
      if (Date.now() > end) {
        daemon.kill();
        throw error;
      }
      await sleep(100);
    }
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

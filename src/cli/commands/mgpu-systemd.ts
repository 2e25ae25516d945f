/** mgpu systemd: units that start this machine's daemons by themselves. Prints them; installs only what it is asked to. */

import type { Joined } from "../../config/joined.ts";
import { DAEMON_GROUP } from "../../util/daemon-group.ts";
import { errnoText } from "../../util/errno.ts";
import { shellWord } from "../../util/shell-word.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { readJoined } from "./mgpu-join.ts";

export const command: Command = {
  name: "mgpu systemd",
  summary: "Print a systemd unit that starts this machine's daemon: mgpud where it joined a cluster, else mgpuctld",
  synopsis: "[OPTIONS...]",
  options: [
    { long: "user", argument: "none", help: "for the user's own systemd, without root" },
    { long: "install", argument: "none", help: "write it where systemd looks, rather than print it; starts nothing" },
  ],
  operands: "permute",
  examples: ["mgpu systemd", "mgpu systemd --user --install"],
  async run({ values }, context) {
    const isUser = values.has("user");
    const joined = readJoined(context);
    const hasJoined = joined !== null;
    const name = hasJoined ? "mgpud.service" : "mgpuctld.service";
    const text = unitText(context, joined, isUser);
    if (!values.has("install")) {
      context.stdio.out(`# ${name}; mgpu systemd --install writes it where systemd looks\n${text}`);
      return 0;
    }
    const folder = isUser ? userFolder(context) : "/etc/systemd/system";
    try {
      context.files.replace(`${folder}/${name}`, new TextEncoder().encode(text));
    } catch (error) {
      const hint = isUser ? undefined : "root may write there; mgpu systemd --user needs no root";
      throw new UserError(`${folder}/${name} can't be written: ${errnoText(error)}`, hint);
    }
    const systemctl = isUser ? "systemctl --user" : "systemctl";
    const linger = isUser ? "; loginctl enable-linger keeps it going after you log out" : "";
    context.stdio.out(`${folder}/${name} is written; ${systemctl} enable --now ${name} starts it${linger}\n`);
    return 0;
  },
};

function userFolder({ environment }: CommandContext): string {
  const config = environment.XDG_CONFIG_HOME || `${environment.HOME ?? "/root"}/.config`;
  return `${config}/systemd/user`;
}

function unitText(
  { launcherFolder, places, environment, user }: CommandContext,
  joined: Joined | null,
  isUser: boolean,
) {
  const hasJoined = joined !== null;
  const settings = Object.entries(joined?.settings ?? {});
  const program = hasJoined ? "mgpud" : "mgpuctld --with-node";
  const [name = "", ...args] = program.split(" ");
  const start = [shellWord(`${launcherFolder}/${name}`), ...args].join(" ");
  const lines = [
    "[Unit]",
    `Description=mgpu: ${hasJoined ? "node daemon" : "controller and node daemon"}`,
    "After=network-online.target",
    "Wants=network-online.target",
    "",
    "[Service]",
    `ExecStart=${start}`,
    `Environment="MGPU_HOME=${places.home}"`,
    `Environment="PATH=${environment.PATH ?? "/usr/local/bin:/usr/bin:/bin"}"`,
    ...settings.map(([variable, value]) => `Environment="${variable}=${value}"`),
    ...(isUser || user.uid === 0 ? [] : [`User=${user.name}`]),
    // Without root, groups that limit the memory of jobs can only be made in here. An older systemd passes the second over.
    ...(isUser || user.uid !== 0 ? ["Delegate=memory", `DelegateSubgroup=${DAEMON_GROUP}`] : []),
    // Holders and jobs outlive their daemon.
    "KillMode=process",
    "Restart=always",
    "RestartSec=2",
    "LimitNOFILE=65536",
    "",
    "[Install]",
    `WantedBy=${isUser ? "default.target" : "multi-user.target"}`,
  ];
  return `${lines.join("\n")}\n`;
}

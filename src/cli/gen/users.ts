/** The page for machines with several users: whose jobs run as whom, and who may do what. */

import type { Topic } from "./topics.ts";

export const USERS: Topic = {
  page: "mgpu-users",
  section: "7",
  summary: "one machine or cluster with several users",
  sections: [
    {
      heading: "DESCRIPTION",
      texts: [
        "Daemons that root starts serve every user of the machine: sudo mgpu up, or for good sudo mgpu systemd --install and the line that it prints. Users type commands as ever; nothing has to be set. Jobs, steps, sessions and everything opened for them have the submitter's uid, gid, supplementary groups, home, umask and limits. Daemons of anybody else serve that user only, and say so to others.",
        "mgpu must be installed where all users can read it. A user whose own daemons still run goes on with those; mgpu down ends them. With MGPU_HOME a user has daemons of its own in any case.",
      ],
    },
    {
      heading: "WHO MAY DO WHAT",
      terms: [
        [
          "everybody",
          "Sees the jobs of all in the queue and in accounting, with what they used (mgpu-sacct, mgpu seff); nodes and partitions; submits.",
        ],
        [
          "the owner of a job",
          "Also its script, environment, output, and what it uses while it runs (mgpu-sstat); cancels, holds, changes, signals, suspends, requeues it; makes steps in it and attaches to it.",
        ],
        [
          "operators",
          "The same with everybody's jobs, but for steps and attaching: nobody but root acts as somebody else. They change nodes, partitions and reservations. security.operators names them, or AdminLevel=Operator of mgpu-sacctmgr, or a key of that role.",
        ],
        [
          "administrators",
          "Also end mgpu, give out keys, and have the configuration read again (security.administrators).",
        ],
        ["root", "All of this. It submits for others with --uid and --gid."],
      ],
    },
    {
      heading: "PRIVATE DATA",
      texts: [
        "security.private_data (PrivateData of slurm.conf) hides from users what is not theirs: jobs (queue, records, accounting), usage (shares, reports, accounting), users and accounts (mgpu-sacctmgr); all is all of them. Operators, and coordinators of the account, see it.",
      ],
    },
    {
      heading: "OTHER MACHINES",
      texts: [
        "A node daemon that root started runs a job as the user of that name there, whatever the number; where there is none, a batch job goes to other nodes (scontrol shows them as ExcNodeList), or is held if no other node could run it: scontrol release once the user is known there. Others fail, and say so. One of another user runs that user's jobs only. A key for somebody on another machine acts as a user of the controller's machine: sudo mgpu key issue laptop --user ada.",
      ],
    },
    {
      heading: "FILES",
      terms: [
        [
          "/run/mgpu",
          "Sockets of root's daemons. Users find theirs below their number, where nobody else can open it.",
        ],
        [
          "/var/spool/mgpu",
          "Scripts that run and logs of what holds them (mgpu-stepd), below the number of the user whose files they are.",
        ],
        ["/root/.local/state/mgpu", "The state: queue, scripts, environments. Only root can read it."],
        ["log/audit.log", "There: who changed what, and what was denied."],
      ],
    },
    {
      heading: "DIFFERENCES FROM SLURM",
      texts: [
        "No munge: the kernel says who somebody is. The program of mgpu-salloc runs where it is typed, so --uid is refused there; use sudo -u. Groups that a user got while jobs of the user ran count once those are over.",
      ],
    },
    { heading: "EXAMPLES", lines: ["mgpu up", "mgpu systemd"] },
  ],
};

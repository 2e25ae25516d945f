/** The page about Slurm clusters: mgpu's commands on one, nodes borrowed from one, and moving from or to one. */

import { SLURM_DIFFERENCES } from "./slurm-differences.ts";
import type { Topic, TopicSection } from "./topics.ts";

const MOVING: readonly TopicSection[] = [
  {
    heading: "MOVING FROM SLURM",
    texts: [
      "mgpu import slurm FILE reads a slurm.conf with the files that it includes and the gres.conf beside it, and prints mgpu's configuration; --output=FILE writes it. What has no place there is told on standard error, line by line with the reason: left out (mgpu has no such thing), changed (taken over as something else) or not needed (it holds anyway, or concerns only Slurm's own programs). What is wrong in the files is told all at once, with file and line, and nothing is written then. Files that are there are written over with --force only.",
      "Taken over are the names, CPUs, memory, features, weights and addresses of nodes (less what CoreSpecCount and MemSpecLimit keep from jobs), partitions with their limits, defaults and lists of accounts and QOS, NodeName=DEFAULT and PartitionName=DEFAULT, sets of nodes, preemption, EnforcePartLimits, licenses, PrivateData and timeouts. Where slurm.conf is silent and Slurm's default differs from mgpu's, Slurm's is written. GPUs need no lines: each node's daemon finds its own, and the configuration says in comments which should be there.",
      "Weights of priorities, QOS that partitions name, and drained nodes are kept with mgpu's queue rather than in its configuration: the commands that set them stand as comments at its end, or in a script with --commands=FILE. QOS with their limits come along where --qos=FILE names what sacctmgr -P list qos printed on the Slurm cluster. Accounts and users come with sacctmgr dump CLUSTER on Slurm's side and mgpu-sacctmgr load FILE on mgpu's, once the QOS are there.",
      "With --fake-gpus nodes pretend to have their GPUs: the configuration can be tried on any machine before the move.",
    ],
    terms: [
      [
        "1. mgpu import slurm /etc/slurm/slurm.conf --qos=qos.txt --output=config.yaml --commands=then.sh",
        "Read what it left out. qos.txt is of sacctmgr -P list qos.",
      ],
      ["2. Copy config.yaml to /etc/mgpu/config.yaml of all machines.", "mgpu config check looks through it."],
      ["3. mgpu up --listen 0.0.0.0:7411 on the controller's machine", "It prints the line to type on each node."],
      ["4. sh then.sh, and mgpu-sacctmgr load with what sacctmgr dump wrote", "Once, on the controller's machine."],
      [
        "5. mgpu shims /usr/local/slurm-names",
        "Links named srun, sbatch ... for scripts and programs; put the folder into PATH.",
      ],
    ],
  },
  {
    heading: "MOVING TO SLURM",
    texts: [
      "mgpu export slurm FOLDER writes slurm.conf, gres.conf and cgroup.conf for the cluster as it is now: nodes with their CPUs, sockets, memory, GPUs (types, files, links), features, weights and drains, partitions with all that they say, priorities, preemption, timeouts and limits. Places and users of Slurm's own are those of Debian's packages. Reservations, which slurm.conf has no words for, are a script of scontrol's beside them (reservations.sh): run it once slurmctld and its nodes are there. Where jobs of the queue or limits have parts of GPUs, each GPU gets shards (gres/shard), as many as those parts need. What Slurm can't say is told.",
      "Accounts, users, QOS and their limits live in Slurm's database. Where there are any, accounts.sh and accounts.cfg stand beside: run accounts.sh when slurmdbd answers (it makes the cluster and the QOS that partitions name), start slurmctld, run it again (Slurm's database knows of GPUs from then on). SACCTMGR=mgpu-sacctmgr sh accounts.sh puts the same into another cluster of mgpu's.",
      "A job that names no memory gets all memory of its nodes in Slurm, none in mgpu. Where no default is set, slurm.conf gets a DefMemPerCPU of the least memory for a CPU that a node has; mgpu import slurm knows that line again and leaves it out. mgpu export and mgpu import after it come to the same nodes, partitions and limits.",
    ],
  },
];

export const SLURM_PAGE: Topic = {
  page: "mgpu-slurm",
  section: "7",
  summary: "mgpu on a Slurm cluster, and moving from or to one",
  sections: [
    {
      heading: "DESCRIPTION",
      texts: [
        "A lab that uses mgpu and a computing centre that runs Slurm go together in three ways: mgpu's commands work on a cluster of Slurm's, nodes of a Slurm cluster serve mgpu's queue for a while, and a cluster's configuration moves from one to the other.",
      ],
    },
    ...MOVING,
    ...SLURM_DIFFERENCES,
  ],
};

/** Pages that are about no command: settings, the protocol, coming from Slurm, and the daemons. */

import { SETTINGS } from "../../config/settings.ts";
import { PROTOCOL } from "../../protocol/envelope.ts";
import { ERROR_CODES } from "../../protocol/errors.ts";
import { PREDECESSORS } from "./predecessors.ts";
import { SLURM_PAGE } from "./slurm-page.ts";
import { USERS } from "./users.ts";

/** A heading with paragraphs, or with terms and what they mean. */
export interface TopicSection {
  readonly heading: string;
  readonly texts?: readonly string[];
  readonly terms?: readonly (readonly [term: string, text: string])[];
  /** Lines as they are typed. */
  readonly lines?: readonly string[];
}

export interface Topic {
  readonly page: string;
  readonly section: "5" | "7" | "8";
  readonly summary: string;
  readonly sections: readonly TopicSection[];
}

/** What each setting is for, by its variable. Those that are missing here are told by what they expect. */
const MEANINGS: Readonly<Record<string, string>> = {
  MGPU_CLUSTER_NAME: "Name of the cluster, SLURM_CLUSTER_NAME of jobs.",
  MGPU_KILL_WAIT: "Seconds between TERM and KILL for a job that is to end (KillWait of slurm.conf).",
  MGPU_MIN_JOB_AGE:
    "Seconds that a finished job stays in the queue's memory (MinJobAge); then mgpu-sacct still finds it.",
  MGPU_HEARTBEAT_MS: "Milliseconds between a node's signs of life.",
  MGPU_SNAPSHOT_BYTES: "Bytes of the journal after which the state is written out as a whole.",
  MGPU_ORPHAN_WAIT: "Seconds that the job of an mgpu-srun goes on without its client.",
  MGPU_NODE_ID: "Name of this machine's node; its short host name otherwise (NodeName).",
  MGPU_NODE_ADDRESS: "Where other nodes reach this one (NodeAddr): MASTER_ADDR of jobs.",
  MGPU_CPUS: "CPUs to offer instead of all.",
  MGPU_MEMORY: "MiB of memory to offer instead of all (RealMemory).",
  MGPU_MEMORY_ENFORCEMENT:
    "Who keeps jobs within their memory: the kernel by cgroups where the node daemon can make any, else a look once a second (auto); cgroups or no job with a limit starts (cgroup); the look alone (poll). mgpu-scontrol show node tells which it is as MemoryLimits, mgpu doctor why.",
  MGPU_FAKE_GPUS: "A count of pretended GPUs, or a JSON file that lists them, instead of the real ones.",
  MGPU_LOG_LEVEL: "How much the daemons write into their logs.",
  MGPU_ENFORCE_PART_LIMITS:
    "Whether jobs beyond their partition's limits wait (NO) or are refused (EnforcePartLimits).",
  MGPU_FEATURES: "Words that jobs may ask this node for with --constraint.",
  MGPU_CONTROLLER_SOCKET: "For a node daemon: the socket of its controller; that of the state folder otherwise.",
  MGPU_LICENSES: "Licenses that jobs may ask for with --licenses, with their counts.",
  MGPU_MAIL_PROG: "Program that mail is sent with, called as mail -s SUBJECT USER (MailProg).",
};

const DAEMON_SETTINGS = Object.values(SETTINGS).map(({ variable, fallback, expected }) => {
  const meaning = MEANINGS[variable] ?? "";
  const isPlain = (typeof fallback === "string" && fallback !== "") || (typeof fallback === "number" && fallback !== 0);
  return [
    variable,
    `${meaning === "" ? "" : `${meaning} `}Expects ${expected}.${isPlain ? ` Default: ${fallback}.` : ""}`,
  ] as const;
});

const SETTINGS_PAGE: Topic = {
  page: "mgpu-settings",
  section: "5",
  summary: "settings of mgpu's daemons and commands",
  sections: [
    {
      heading: "DESCRIPTION",
      texts: [
        "Nothing has to be set: the first command starts a controller with this machine as its node. What is set differently stands in a configuration file or in environment variables of the daemons, which come first. The controller remembers them: one that a command starts again after a crash has those of the one before. Values that can't be read are all told at the start, and nothing is started.",
        "Partitions, reservations, accounts, QoS and the weights of priorities are no settings: mgpu-scontrol create and mgpu-sacctmgr change them while the controller runs, and they are kept with the queue.",
      ],
    },
    { heading: "SETTINGS OF THE DAEMONS", terms: DAEMON_SETTINGS },
    {
      heading: "SETTINGS OF THE COMMANDS",
      terms: [
        ["MGPU_HOME", "State folder; otherwise $XDG_STATE_HOME/mgpu or ~/.local/state/mgpu."],
        ["MGPU_CONTROLLER", "Socket of the controller to use, instead of one of this machine."],
        ["MGPU_TUI", "never: mgpu-squeue without arguments prints its table on a terminal too."],
        [
          "MGPU_FRONT",
          "0: each command is a program of its own. Otherwise six of mgpu-sbatch, mgpu-squeue, mgpu-scancel and mgpu-sinfo in a row start a front, one process that runs those that follow for as long as some come each minute, with the same results.",
        ],
        ["MGPU_DETACH_KEYS", "The key that begins a command to a session, such as ctrl-a, or none."],
        ["NO_COLOR", "No colours."],
      ],
    },
    {
      heading: "FILES",
      terms: [
        [
          "~/.config/mgpu/config.yaml",
          "The configuration, in YAML or JSON, or /etc/mgpu/config.yaml, or what $MGPU_CONFIG names. mgpu config sample prints all keys with what they mean; mgpu config tells what is in force. tui: {squeue: never} keeps mgpu-squeue to its table.",
        ],
        ["STATE/controller/journal", "What happened, a line an event, each on disk before it was answered."],
        ["STATE/controller/snapshot.json", "The state up to a line of the journal."],
        ["STATE/controller/accounting", "Jobs of the past."],
        ["STATE/controller/settings.json", "The settings that the controller was started with."],
        ["STATE/log", "Logs of the daemons."],
        ["STATE/front", "Where launchers of commands meet the front."],
        ["~/.cache/mgpu/completion", "Names for completions of the shell, renewed as they are asked for."],
      ],
    },
    {
      heading: "DIFFERENCES FROM SLURM",
      texts: [
        "There is no slurm.conf. mgpu-scontrol show config prints Slurm's keys with what is true of this cluster.",
      ],
    },
    { heading: "EXAMPLES", lines: ["MGPU_FAKE_GPUS=4 mgpu up", "mgpu-scontrol show config", "mgpu down --force"] },
  ],
};

const PROTOCOL_PAGE: Topic = {
  page: "mgpu-protocol",
  section: "7",
  summary: "how mgpu's commands and daemons talk",
  sections: [
    {
      heading: "DESCRIPTION",
      texts: [
        `Programs talk over Unix sockets in frames: four bytes with the length, the most significant first, then one MessagePack array in the shapes of MessagePack-RPC. This is protocol ${PROTOCOL.major}.${PROTOCOL.minor}. Two programs with the same major number understand each other; a new procedure or an optional field is a new minor number, and what is not known is left out.`,
      ],
    },
    {
      heading: "FRAMES",
      terms: [
        ["[0, id, method, params]", "A call. Ids are the caller's, from 1 upwards on each connection."],
        ["[1, id, error, result]", "Its one answer; error is null, or a map with code, message and perhaps hint."],
        ["[2, method, params]", "A notification. Streams are made of them:"],
        ["stream.item {call, value}", "One item, from the side that answers."],
        ["stream.ack {call, bytes}", "So many more bytes were consumed: the other side goes on."],
        ["call.cancel {call}", "The caller wants no more; the answer still comes."],
      ],
    },
    {
      heading: "THE FIRST CALL",
      texts: [
        "Each side says hello first, with its role (client, node, holder), its protocol, its version and its user. The system says who is at the other end of a Unix socket; what a client says of itself is not trusted. Calls before hello, and frames above the limit, end the connection.",
      ],
    },
    {
      heading: "ERRORS",
      texts: [
        "The list of codes is closed. With those marked so, trying again later can help.",
        `${Object.entries(ERROR_CODES)
          .map(([code, { retryable }]) => `${code}${retryable ? " (again)" : ""}`)
          .join(", ")}.`,
      ],
    },
    {
      heading: "EXAMPLES",
      texts: [
        'test/examples/client.py in the sources is a client in Python: it lists jobs, queues one and follows it. Programs for Node have the package itself: import { connect, submit, watch } from "mgpu"; test/examples/library.mjs shows it.',
      ],
    },
  ],
};

const FROM_SLURM: Topic = {
  page: "mgpu-from-slurm",
  section: "7",
  summary: "coming from Slurm: what is the same, what is not",
  sections: [
    {
      heading: "DESCRIPTION",
      texts: [
        "Scripts, options, output formats, variables, states, reasons and exit codes are those of Slurm 22.05 and, for JSON, of 23.11. Put mgpu- before the command, or have mgpu shims make links with Slurm's names for programs that call those.",
      ],
    },
    {
      heading: "THE SAME",
      texts: [
        "#SBATCH lines, job arrays, dependencies, heterogeneous jobs, steps, --gres and --gpus, --constraint, --nodelist, reservations, licenses, partitions, accounts and QoS, fair share, holds, requeues, time limits with TERM and KILL, prolonged output formats (-o and -O), --json, SLURM_ variables, mail.",
      ],
    },
    {
      heading: "DIFFERENT",
      terms: [
        [
          "Starting",
          "No root, no munge, no database, no slurm.conf. The first command starts what is needed on one machine; mgpu down ends it.",
        ],
        ["GPUs", "A job without --gpus or --gres sees no GPU. CUDA_VISIBLE_DEVICES is always set."],
        [
          "Terminals",
          "mgpu-srun from a terminal gives its task a terminal that outlives the connection: Ctrl-\\ d leaves it, mgpu-sattach comes back.",
        ],
        [
          "Refusals",
          "What can't be done is refused at submission with what there is instead; an option that would do nothing says so.",
        ],
        [
          "Waiting",
          "mgpu why JOB tells what keeps a job waiting, node by node, and the smallest change that would start it.",
        ],
        [
          "The past",
          "mgpu-sacct reads the controller's own files. mgpu history and mgpu-squeue --at show the queue as it stood.",
        ],
      ],
    },
    {
      heading: "COMMANDS",
      terms: [
        ["tail -f slurm-12.out", "mgpu logs -f 12, from any node."],
        ["scontrol show job 12 | grep Reason", "mgpu why 12."],
        ["srun --jobid=12 --overlap nvidia-smi", "mgpu exec 12 nvidia-smi."],
        ["ssh -L 8888:node:8888", "mgpu forward 12 8888."],
        ["watch squeue", "mgpu-squeue on a terminal, or mgpu top."],
        ["seff 12", "mgpu seff 12."],
      ],
    },
    {
      heading: "A CLUSTER'S CONFIGURATION",
      texts: [
        "mgpu import slurm FILE makes mgpu's configuration of a slurm.conf, and mgpu export slurm goes the other way; mgpu-slurm(7) tells of it, and of using mgpu's commands on a cluster that keeps running Slurm.",
      ],
    },
    {
      heading: "EXAMPLES",
      lines: ["mgpu shims ~/slurm-names", 'PATH="$HOME/slurm-names:$PATH" squeue', "mgpu help srun"],
    },
  ],
};

const daemon = (page: string, summary: string, texts: readonly string[], lines: readonly string[]): Topic => ({
  page,
  section: "8",
  summary,
  sections: [
    { heading: "DESCRIPTION", texts },
    {
      heading: "DIFFERENCES FROM SLURM",
      texts: [
        "It needs no root and no configuration file; it is started by the first command, by hand, or by systemd.",
      ],
    },
    { heading: "EXAMPLES", lines },
  ],
});

/** All of them. */
export const TOPICS: readonly Topic[] = [
  SETTINGS_PAGE,
  PROTOCOL_PAGE,
  FROM_SLURM,
  SLURM_PAGE,
  PREDECESSORS,
  USERS,
  daemon(
    "mgpuctld",
    "the controller of a cluster",
    [
      "Keeps the queue, decides what runs where, and keeps all of it on disk before it answers. mgpuctld --help lists its options; with --with-node it is this machine's node daemon as well, which is how commands start it.",
      "TERM and INT end it in order, and jobs go on without it. It may be killed at any time: the next one reads the journal and goes on.",
    ],
    ["mgpuctld --version", "mgpuctld --help"],
  ),
  daemon(
    "mgpud",
    "the daemon of a node",
    [
      "Looks after one machine and its GPUs, starts jobs there and reports how they end. It dials the controller. mgpud --help lists its options. Jobs go on while it is away, and it finds them again.",
    ],
    ["mgpud --version", "mgpud --help"],
  ),
];

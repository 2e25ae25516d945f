/** "Differences from Slurm" of the commands that bear its names. */

const COMMON =
  "Bad input is told of all at once, each with what to do instead. Options that need what mgpu has not are refused with the reason, never taken in silence.";

/** Paragraphs by page. */
export const DIFFERENCES: Readonly<Record<string, readonly string[]>> = {
  "mgpu-srun": [
    "Without a controller on this machine one is started, under mgpu's own names only. A task that is run from a terminal gets a terminal of its own, which outlives the window (mgpu-sattach); Slurm takes --pty for it and ends it with the connection. Jobs see only the GPUs that they were given, none without --gpus or --gres.",
  ],
  "mgpu-sbatch": [
    "#MGPU lines are read beside #SBATCH ones. With --pty the script has a terminal from its start. Folders that are missing on the way to an output file are made.",
  ],
  "mgpu-salloc": [
    "There is no configuration for a default command: the user's shell is run, and it runs where salloc was typed.",
  ],
  "mgpu-squeue": [
    "Without arguments on a terminal it shows the queue on the whole screen, live. With any argument, in a pipe, or under the name squeue it prints what Slurm's prints. --at shows the queue as it stood at another time.",
  ],
  "mgpu-sinfo": [
    "--gpus shows what of each node's GPUs is free and taken. A partition has a star if it is the default one, as in Slurm.",
  ],
  "mgpu-scancel": [
    "Jobs that are unknown are told of, all of them, before anything is cancelled; the exit code is that of Slurm.",
  ],
  "mgpu-scontrol": [
    "Commands for what mgpu has not (burst buffers, federations, power saving, reboots) are refused with a word. Nodes join by starting their daemon; partitions and reservations are made with create.",
  ],
  "mgpu-sacct": [
    "Records are the controller's own files: there is no database, and nothing to be set up. Jobs of the last minutes and of all the time before come out of the same command.",
  ],
  "mgpu-sacctmgr": [
    "There is one cluster and no slurmdbd. Without accounts everybody may use everything, in the order of submission.",
  ],
  "mgpu-sattach": [
    "A session with a terminal is reattached with its screen as it was, any number of times; --read-only looks on, --steal takes over.",
  ],
  "mgpu-sbcast": ["The file travels through the controller's and the nodes' own connections."],
  "mgpu-sstat": ["Numbers are sampled once a second by the node's daemon; there is no plugin to choose."],
  "mgpu-sprio": ["The factors and weights are those of the multifactor plugin."],
  "mgpu-sshare": [
    "Fair shares are those of the Fair Tree algorithm's levels; usage decays with PriorityDecayHalfLife.",
  ],
  "mgpu-sreport": ["Reports read the controller's records directly: they are never behind."],
  "mgpu-sdiag": ["Only what mgpu's controller has is shown; remote procedure calls bear mgpu's names."],
  "mgpu-strigger": ["Triggers are refused: --mail-type and --dependency do what most of them are for."],
};

/** What holds for every command of a name of Slurm's. */
export const COMMON_DIFFERENCE = COMMON;

/** What is different where mgpu's commands work on a Slurm cluster; told on the page mgpu-slurm and nowhere else. */

import type { TopicSection } from "./topics.ts";

/** Sections of the page, in their order. */
export const SLURM_DIFFERENCES: readonly TopicSection[] = [
  {
    heading: "COMMANDS ON A SLURM CLUSTER",
    texts: [
      "A cluster of Slurm's is chosen, never guessed: mgpu login NAME=slurm keeps it as a profile (NAME=slurm:/path/slurm.conf for one of several), which -M NAME or mgpu use NAME chooses; MGPU_BACKEND=slurm means it for one command or session, backend: slurm in the configuration for all. Slurm's own commands must be along PATH; nothing of mgpu's needs to run.",
      "mgpu-srun, mgpu-sbatch, mgpu-salloc, mgpu-scancel, mgpu-scontrol, mgpu-sattach, mgpu-sbcast, mgpu-sinfo, mgpu-sacct, mgpu-sacctmgr, mgpu-sprio, mgpu-sreport, mgpu-sshare, mgpu-sdiag, mgpu-sstat and mgpu-strigger become Slurm's own: their terminal, signals, output and exit code are Slurm's. The others (mgpu-squeue with and without its screen, mgpu top, why, logs, seff, queue, status, cancel, and the library) ask Slurm's commands and show what they say as they show a cluster of mgpu's.",
    ],
  },
  {
    heading: "DIFFERENCES",
    texts: [
      "Jobs of a Slurm cluster have what that cluster's administrators set up: limits, features, GPU types. What only mgpu has is translated where Slurm can say it, else refused with the reason.",
      "A part of a GPU (--gpus=0.5, --gres=gpu:0.25) becomes shards, or MPS where the nodes have that, rounded up; whole GPUs and a part of one never go together, and shares have no type. A part for each task (--gpus-per-task=0.25) is asked for as the part for all tasks of a node, where each node has as many (--ntasks-per-node, or one node) and one GPU is enough for them; else it is refused. --gpu-mem becomes such a part where MGPU_SLURM_GPU_MEMORY (80G) says what memory the GPUs have: Slurm does not know. --model takes its GPUs from the table in mgpu's configuration here (or MGPU_MODELS). --node-gpu-ids becomes --nodelist and --gres: which GPUs of the nodes, Slurm chooses. --conda-env and --venv are entered on the node, before the program or script.",
      "--retries and --notify of mgpu-sbatch go around the script: it asks Slurm to requeue it when it fails (Slurm starts it again after two minutes, so a longer --retry-wait is refused), and tells web addresses of its end with curl, of an end by its own only: a script that Slurm kills tells nothing. A script that is wrapped so is sent from a file in $TMPDIR.",
      "Directives behind #SBATCH are Slurm's to read, and it refuses those that only mgpu has; behind #MGPU mgpu reads them and says them to Slurm as if they had been typed. Options that neither knows go on to Slurm.",
      "mgpu-srun --pty from a terminal is a session as on mgpu: it can be left with the detach key, outlives its terminal, mgpu screens lists it and mgpu-sattach JOB comes back to it from any machine of the cluster. Outside of a job it is submitted with sbatch, as a job that runs the holder of the session by Slurm's srun; within one (salloc, --jobid) it is a step whose srun stays on the machine where it was typed. Who attaches from another machine than its node goes through srun --overlap. The state folder (~/.local/state/mgpu), mgpu and Node.js must be at the same place on login machines and nodes. Of several tasks the first has the terminal, and its exit code is the session's. -o, -e, -i, -l, --multi-prog and --bcast can't be used with it; mgpu screens -a lists one's own sessions only. A session that nobody is at runs until its program ends, Slurm ends the job (--time), or --inactivity-timeout is over. Without a terminal, with --on-disconnect=kill, of several programs (:), and under Slurm's names, --pty is Slurm's.",
      "Refused: --allowed-gpus, --session-timeout, --connection-timeout, --max-wait-time, --max-consecutive-timeouts, --exit-on-silence, mgpu-sbatch --pty, --each and --progress; --detach-keys, --on-disconnect=detach and --inactivity-timeout without mgpu-srun --pty.",
      "Screens and waiting commands ask Slurm at most every 5 seconds, more seldom where it answers slowly, and for a moment each second after a change of one's own. What changed in between is seen late. While Slurm's controller does not answer, screens say so, keep what they had, and go on when it is back.",
      "GPUs have the numbers and types that Slurm gives them; how busy they are and what memory they have Slurm does not tell. Of a job that waits mgpu why shows Slurm's reason, what its nodes have free and who holds the rest; no change that would start it is worked out.",
      "Output is read where the command runs: a file that lies on a node alone is not found. Records of jobs that left the queue come from Slurm's accounting; without it they are gone when Slurm's controller forgets them. mgpu seff and the screen's details have what accounting has of steps that ended, and what sstat gathers of those that run (of one's own jobs): CPU time and memory, nothing of GPUs. Where a cluster looks at nothing (JobAcctGatherType) they say so. Without slurmdbd for a while, the queue and jobs that run are told of, the past is not.",
      "Single GPUs can't be paused, queue files (mgpu feed) and keys have no meaning, and nodes and partitions are changed with mgpu-scontrol.",
    ],
  },
];

/** What manual pages say beyond the declarations of options. */

/** Paragraphs by page, after the summary. */
export const PROSE: Readonly<Record<string, readonly string[]>> = {
  mgpu: [
    "What Slurm has commands for is done by commands of its names: mgpu-srun, mgpu-sbatch, mgpu-squeue and so on.",
  ],
  "mgpu-why": [
    "Of a job that waits it tells what stands in its way; each node and what it lacks; which jobs hold that, and until when by their time limits; its place in the queue; when it should start if every job uses its whole time limit; and the smallest change that would start it now, as commands to paste. Each change was tried in a pass of the scheduler.",
    "Of a job that runs it tells since when and where, of one that is over how it ended, what its exit code means and where its output is. Jobs of the past are found in accounting.",
  ],
  "mgpu-logs": [
    "The files are read on this machine if they lie here, else through the controller and the node. A job that waits is said to wait; with --follow its start is waited for. Lines are labelled with the job, the task and the stream where several are shown together; one file by itself is passed on byte for byte.",
    "Output of mgpu-srun without -o goes to the terminal where it was started and is kept nowhere: mgpu-sattach shows what comes from now on.",
  ],
  "mgpu-sim": [
    "Replays jobs with the times at which they were submitted and the times that they ran, through the scheduler of mgpuctld with a clock of its own, once for each policy and each cluster, and prints side by side how long they waited, their bounded slowdown (wait and run by run, where less than ten seconds count as ten), the time from submission to end (JCT), the makespan, the share of the cluster that was used, the share that lay idle while a job waited (crumbs that nobody could use, and what was kept for others), and how often jobs were stopped for others.",
    "Without TRACE the jobs are those of this cluster that are over, as mgpu-sacct knows them. A TRACE, packed by gzip or not, - for standard input, is a log in the Standard Workload Format of 18 columns, a table with the columns of the traces of Muri, openb or Philly or of SWF logs, or mgpu's own accounting (accounting/*.jsonl) and journal (journal/*.jsonl), several files of which may be given. What can't be read is told with the number of its line.",
    "Without --cluster and --nodes the cluster is this one with nothing running and all nodes in service, or the processors that an SWF log names. CPUs and memory count where the cluster names them. A job gets as few nodes as can hold it, whole ones where it needs several.",
    "With the policies fifo to slowdown a job runs to its end once it started. Time limits are what others rely on; run times are looked at by none of them, unless a trace names no limits. With the policies srtf to likely jobs take turns: at every event all GPUs are dealt out anew, and a job that is stopped goes on later where it was. srtf, srsf and srsf-whole know run times, tiresias-l and likely do not.",
  ],
  "mgpu-srun": [
    "Runs a program as a job of its own, or as a step of the job in which it is called, streams its output, and returns its exit code. Everything from the first word that is no option on belongs to the program.",
  ],
  "mgpu-sbatch": [
    "Queues a script, or with --wrap a command, and prints the number of the job. Options may stand in the script after #SBATCH or #MGPU, before its first command. Those of the command line come first, then variables, then the script.",
  ],
  "mgpu-salloc": ["Waits for an allocation and runs a shell or a command that can use it with mgpu-srun."],
};

/** Exit codes with what they mean, by command. */
export const EXIT_CODES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  mgpu: [
    ["0", "What was asked for was done."],
    ["1", "It was not: the reason is on standard error."],
    ["2", "Wrong usage."],
  ],
  others: [
    ["0", "What was asked for was done."],
    ["1", "It was not, or the usage was wrong: the reason is on standard error."],
  ],
  srun: [
    ["N", "The exit code of the program, the highest of all tasks."],
    ["128+N", "A task was ended by signal N."],
    ["1", "The job could not be submitted or started; another number if SLURM_EXIT_ERROR names one."],
  ],
};

/** The sections of mgpu(7). */
export const OVERVIEW: readonly { readonly heading: string; readonly texts: readonly string[] }[] = [
  {
    heading: "DESCRIPTION",
    texts: [
      "mgpu queues programs that need GPUs and runs them where there is room. On one machine nothing is to be set up: the first command starts mgpu's daemons in the background, and mgpu down ends them.",
      "Commands, options, output and variables are Slurm's. Programs that were made for Slurm find mgpu under Slurm's names in a folder that mgpu shims makes.",
      "Three programs do the work: mgpuctld keeps the queue and decides, mgpud looks after a machine and its GPUs, and mgpu-stepd holds what runs. Each may be ended and started again at any time without harm to jobs.",
    ],
  },
  {
    heading: "GPUS",
    texts: [
      "GPUs are granted in thousandths. --gpus=2 is two whole ones, --gpus=0.5 half of one that others may share, --gpus=2.5 two whole ones and half of a third, --gpus=a100:2 two of a type; --gres, --gpus-per-node and --gpus-per-task read the same. A whole GPU is never shared. --gpu-mem=20G wants so much memory of each GPU, of a part of one so much in that part; alone it asks for the part of one GPU that has so much. --node-gpu-ids=n1:0,1;n2:3 names whole GPUs by their indices. CPUs and memory for each GPU (--cpus-per-gpu, --mem-per-gpu) count for a part as much as it is.",
      "A program sees its GPUs in CUDA_VISIBLE_DEVICES, shared ones too. MGPU_GPU_SHARE tells how much of each of them is its own (1,1,0.5), MGPU_GPU_MEM_MIB how many MiB of their memory. Sharing is an agreement, which programs keep by themselves; where NVIDIA's Multi-Process Service runs, it holds them to it by CUDA_MPS_ACTIVE_THREAD_PERCENTAGE and CUDA_MPS_PINNED_DEVICE_MEM_LIMIT, which are set too.",
    ],
  },
  {
    heading: "WHERE TO BEGIN",
    texts: [
      "mgpu-srun --gpus=1 python train.py runs a program on a GPU as soon as one is free.",
      "mgpu-sbatch --gpus=2 -t 2:00:00 train.sh queues a script; mgpu-squeue shows the queue, mgpu logs -f JOB the output, mgpu why JOB what keeps a job waiting, mgpu-scancel JOB ends it.",
    ],
  },
  {
    heading: "COMPLETION",
    texts: [
      'For bash put eval "$(mgpu completion bash)" into ~/.bashrc; for zsh put mgpu completion zsh > FOLDER/_mgpu into a folder of $fpath; for fish mgpu completion fish > ~/.config/fish/completions/mgpu.fish.',
    ],
  },
];

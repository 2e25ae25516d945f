/** What manual pages say beyond the declarations of options. */

import type { TopicSection } from "./topics.ts";

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
    "Without TRACE the jobs are those of this cluster that are over, as mgpu-sacct knows them. A TRACE, packed by gzip or not, - for standard input, is a log in the Standard Workload Format of 18 columns, a table with the columns of the traces of Muri, openb or Philly or of SWF logs, or mgpu's own accounting (controller/accounting/*.jsonl in the state folder) and journal (controller/journal/*.jsonl), several files of which may be given. What can't be read is told with the number of its line.",
    "Without --cluster and --nodes the cluster is this one with nothing running and all nodes in service, or the processors that an SWF log names. CPUs and memory count where the cluster names them. A job gets as few nodes as can hold it, whole ones where it needs several.",
    "With the policies fifo to slowdown a job runs to its end once it started. Time limits are what others rely on; run times are looked at by none of them, unless a trace names no limits. With the policies srtf to likely jobs take turns: at every event all GPUs are dealt out anew, and a job that is stopped goes on later where it was. srtf, srsf and srsf-whole know run times, tiresias-l and likely do not.",
  ],
  "mgpu-srun": [
    "Runs a program as a job of its own, or as a step of the job in which it is called, streams its output, and returns its exit code. Everything from the first word that is no option on belongs to the program.",
  ],
  "mgpu-sbatch": [
    "Queues a script, or with --wrap a command, and prints the number of the job. Options may stand in the script after #SBATCH or #MGPU, before its first command. Those of the command line come first, then variables, then the script.",
    "With --each every operand is a script and becomes a job of its own, with its own #SBATCH lines and without arguments; with - the paths are read from standard input, one a line. All scripts are read and checked first: if one of them is no script or asks for what can't be, all that is wrong is told and none is submitted. Then they go over one connection, a thousand in about a second. A line is printed for each, in the order of the scripts (their numbers need not ascend). What the cluster refuses then is told with its script, the others are queued, and the exit code is 1. --wait waits for all, and returns the highest exit code.",
  ],
  "mgpu-salloc": [
    "Waits for an allocation and runs a shell or a command that can use it with mgpu-srun. When the shell or the command ends, the allocation ends. With --no-shell it stays until it is cancelled or its time is over.",
  ],
  "mgpu-squeue": [
    "Lists jobs that wait or run: without arguments on a terminal on the whole screen, as they change, otherwise as a table with Slurm's columns. -o and -O choose columns, options choose jobs; several values of an option are parted by commas, and all options must hold.",
    "Every listing is of one moment. In the live view ? lists the keys; q leaves it, and the table stays on the screen.",
  ],
  "mgpu-scancel": [
    "Ends jobs, tasks of arrays and steps, or sends them a signal. Jobs that wait leave the queue at once; those that run get TERM, and KILL after the kill wait. Without job ids, options choose whose jobs are meant: all of them must hold.",
  ],
  "mgpu-scontrol": [
    "Shows and changes jobs, nodes, partitions and reservations. One command stands on the command line; without any, commands are read from standard input, one a line. Words may be shortened as long as they are clear, and upper and lower case are alike.",
    "update takes KEY=VALUE words; the first ones say what is changed (JobId=, NodeName=, PartitionName=, ReservationName=). All changes of an update are made, or none.",
  ],
  "mgpu-sacct": [
    "Lists jobs and their steps, those of the past too, with what they used. Without -S it begins at midnight; with -j it looks through all the time. -o chooses columns, a width may follow after %.",
  ],
  "mgpu-sacctmgr": [
    "Keeps accounts, users, associations (a user within an account), QoS, and the weights that priorities are made of. A change shows what it would do and asks, unless -i says not to. Limits hold from then on for jobs that wait: their reason tells of the limit they wait for.",
  ],
  "mgpu-sinfo": [
    "Lists partitions and nodes with their states. Without options a line stands for the nodes of a partition that are in the same state; -N lists each node.",
  ],
  "mgpu-sattach": [
    "Goes to a step that runs: to the streams of an ordinary one, or back into a session with a terminal, with its screen as it was. Several may look at a session; one types.",
  ],
  "mgpu-sbcast": ["Copies a file to all nodes of a job, whole or not at all. Within a job its own nodes are meant."],
  "mgpu-sstat": [
    "Shows what the steps of running jobs use at this moment: memory, CPU time, pages and files of their processes.",
  ],
  "mgpu-sprio": [
    "Shows what the priorities of waiting jobs are made of: weighted factors of age, fair share, size, partition, QoS and TRES.",
  ],
  "mgpu-sshare": [
    "Shows the shares of accounts and users, their usage, which fades with time, and what fair share follows from both.",
  ],
  "mgpu-sreport": [
    "Reports of the past: how much of the cluster was used, by which accounts and users, and in jobs of which size.",
  ],
  "mgpu-sdiag": [
    "Shows what the controller counted since midnight, its start or the last reset: jobs, passes of the scheduler, calls by kind and by user.",
  ],
  "mgpu-strigger": ["Slurm's triggers are not there; what they are mostly used for is done by mail and dependencies."],
  "mgpu-up": [
    "Starts the controller and this machine's node daemon, if they do not run. Other commands do the same when they need them.",
  ],
  "mgpu-down": [
    "Ends the daemons. While jobs run it is refused, unless --force cancels them. Jobs that wait stay in the queue for the next start.",
  ],
  "mgpu-status": [
    "Shows each daemon with its process and since when it runs, how many jobs there are, and where the state lies. It starts nothing.",
  ],
  "mgpu-health": [
    "Prints healthy, unhealthy with each problem, or unreachable, and ends with exit code 0, 1 or 2. It starts nothing. A drained node is no problem; one that is down or not connected is. With metrics.listen set, /health answers probes over HTTP.",
  ],
  "mgpu-doctor": [
    "Looks at this machine (folders and disks, configuration, sockets, daemons, GPU driver, python, limits, cgroups, locale, firewall), at every step of the way to the controller (name, route, port, firewall, key, version, clock), and has the controller look at all nodes from both ends: each is asked about its own machine, dials the controller anew, and tries to reach the others. Each finding says ok, warn or FAIL, and what to do about it in one line. The nodes stand side by side in a table.",
    "Without a word it looks at the controller that commands speak to, and at the one that this machine joined. HOST is a name or number, with or without a port, or the name of a profile of mgpu login; without a key for it the way is followed as far as it goes. It starts nothing, works without any daemon, and waits for nothing longer than some seconds. The exit code is 0, or 1 if anything fails.",
    "python3 is looked for in the folders of your PATH, and with your rights. A file of 4 KiB is written to the state folder, your home and /tmp and removed again, since that alone shows full disks and quotas.",
  ],
  "mgpu-metrics": [
    "Sums up all jobs that accounting knows: how many by state, mean and median run time, mean wait, and for each GPU its mean and peak utilization over the steps that were long enough to be measured. Of several GPUs of one step the average of them is known. With metrics.listen set, Prometheus finds live numbers at /metrics.",
  ],
  "mgpu-top": [
    "Opens the live view of mgpu-squeue, from a script or an alias too. --demo needs no daemon and changes nothing anywhere.",
    "Views: jobs (1), nodes and GPUs (2, n), history (3, h); from a job its details (Enter), its output (l) and its terminal (a). ? lists the keys of the view that is shown. A command line behind : knows all that keys do, and Tab completes its words. Whatever changes something asks first; anything but y means no.",
    "In the nodes, each GPU is a sign on three maps: whose it is (a letter a job; . free, % shared, = paused, ! used by others than jobs, x away), how busy, and how full its memory. Below stand the GPUs of one node with their last minutes, as its node daemon told them since this was opened.",
    "The history shows what waited and ran at a moment, as mgpu-squeue --at does: the arrow keys move by an hour, [ and ] by a day, :at takes any time such as 2026-11-20 14:00.",
    "After a kill -9 the launcher gives the terminal back. If that was killed too, the command reset does.",
  ],
  "mgpu-feed": [
    'Reads a file of jobs, one a line: priority,script,conda_env,arguments,allowed_gpus. Fields may be empty, lines that begin with # are comments. The priority is 0 (high), 1 (normal) or 2 (low); a script that ends in .py runs with python, one in .sh with bash, anything else by itself; arguments are as the shell reads them, in quotes ("1,2", where "" is a quote) if they have commas; allowed GPUs are indices such as 0,2-3. A first line that has the names of columns makes it CSV: in any order, with gpus (as --gpus takes them) and name besides. Each job gets as many GPUs as the model needs that its arguments name (--llm, --model), else default_requirement of models: in the configuration, else one.',
    "Paths are relative to the folder in which the command is typed, where the jobs run too. The options are those of mgpu-sbatch and hold for all lines. A line that is no job is told with its number, and the others are queued; the exit code is 1 then. Correct it and feed the file again: lines that were queued before are not queued again. What counts is what a line means, not how it looks, and not its priority; 10,000 lines of each file are remembered (feeds.remembered), more if it has more, the oldest are forgotten first.",
    "With --watch the controller goes on to look at the file every two seconds (feeds.interval), also after you have logged out and after its own restart, and reads it when it has changed and is at rest. Editors may replace it. Lines that are gone from the file stay in the queue. A script that is missing and a full queue are tried again every half a minute. Files that the configuration names (feeds.files) are watched from the controller's start on, each with its own folder to work in; one that it names no more is stopped at the next start. Root's daemons do not watch files of users, and a controller on another machine does not see them: then this command says so, and watches itself until it is ended.",
    "mgpu feed list shows what is watched, and each bad line; mgpu feed stop ends the watching of a file, named by its path or number.",
  ],
  "mgpu-alloc": [
    "Makes one queue of a lab's own machines and its share of a computing centre. While jobs wait here that could use them, the controller submits jobs to Slurm, each of which starts a node daemon; it joins this cluster under a name of its own (slurm1-7 is the seventh of the queue slurm1), takes jobs, and leaves when it has had none for a while. Such a node offers what Slurm gave it and no more: its GPUs, CPUs and memory. Jobs can ask for it with --constraint=slurm, or slurm1 for those of one queue.",
    "A node of an allocation leaves at the latest when Slurm's time limit is over, so only jobs whose own time limit ends before are placed there. A job without a time limit never is: give it --time, or its partition a DefaultTime. mgpu why JOB says so, and for which job an allocation was asked for.",
    "What jobs could use is found by the scheduler itself, as if the nodes were there: held jobs, limits, partitions, features and dependencies count. Nodes that wait in Slurm already are counted on first. --max limits the allocations, --backlog how many of them may wait in Slurm at once, --every the time between submissions. An allocation that still waits there when no job has needed it for the idle time is cancelled. A node that is there is not idle while a job needs it together with others that can still come.",
    "When an allocation is lost (cancelled, preempted, failed, out of time), its batch jobs go back into the queue as after the loss of any node; a start that is over can't come back, so each runs once to its end. Ends that are no success are told with two seconds' delay from such nodes, since Slurm's killing of an allocation kills its programs too. Jobs of mgpu-srun and mgpu-salloc end with NODE_FAIL. Slurm's SIGTERM may end a script's program a moment before it ends the script, which must not take that for success (set -e).",
    "A refused submission, and an allocation that is over before its node joined, count as failures: the next try comes after 10 seconds, then 20, up to 15 minutes, and after eight in a row the queue is paused until mgpu alloc resume. mgpu alloc list and log say why. While Slurm does not answer, nothing is given up: nodes and their jobs go on, and Slurm is asked again, at least every minute. It is asked every 10 seconds (elastic.interval in the configuration) while there are allocations, and not at all otherwise. After a restart the controller finds its allocations in Slurm by their jobs' names, which carry a mark of this cluster; one that nobody knows of is cancelled.",
    "Slurm's jobs are submitted as the user whose daemons these are (root's cluster: as root), with that user's PATH and SLURM_CONF as of mgpu alloc add, and found past mgpu's own shims. Options of sbatch behind -- say partition, account, QOS and the like; those that would break an allocation are refused. mgpu, node and the state folder (MGPU_HOME) must be where the machines of Slurm see them at the same paths.",
    "On the controller's own machine the node daemon connects through the controller's socket. From other machines it joins with a token, which is good once and for ten minutes, is made when Slurm has started the allocation, and lies in a file that only the user can read until it is used: neither a list of processes nor Slurm shows it. For that the controller must listen: mgpu up --listen.",
    "mgpu alloc remove lets what runs in the allocations end first; with --force it goes back into the queue at once.",
  ],
  "mgpu-history": [
    "Rebuilds from the accounting records which jobs waited and ran at a moment; with two times, what ran between them.",
  ],
  "mgpu-seff": ["Compares what a job was given with what it used: CPU time and memory."],
  "mgpu-screens": [
    "Lists sessions with a terminal: how long they run, their size, who is attached, and how long they have been quiet.",
  ],
  "mgpu-exec": [
    "Runs a command beside what a job already runs, on its node, with its GPUs and its variables. It takes nothing from the job's allocation.",
  ],
  "mgpu-forward": [
    "Makes a port of a job's node one of this machine, until it is ended with Ctrl-C: for notebooks and dashboards.",
  ],
  "mgpu-shims": [
    "Makes links with Slurm's names in a folder. Put first on PATH, they let programs that call sbatch or squeue find mgpu.",
  ],
  "mgpu-completion": [
    "Prints the completion script of a shell, or installs it where shells look: links in the folders of the user, or with --system in those of all users. Start files of shells are left alone.",
    "Names of jobs, nodes, partitions, users, accounts, QoS and GPU types come from a small file that is fetched anew as it grows old.",
  ],
};

/** More sections of a page, after its options. */
export const SECTIONS: Readonly<Record<string, readonly TopicSection[]>> = {
  "mgpu-squeue": [
    {
      heading: "JOB REASON CODES",
      texts: ["Why a job waits, in the last column. mgpu why tells it in sentences."],
      terms: [
        ["Resources", "It is first in line and waits for nodes, CPUs, memory or GPUs to be free."],
        ["Priority", "Jobs with a higher priority wait for the same."],
        ["Dependency", "Jobs that it depends on have not ended."],
        ["DependencyNeverSatisfied", "A job that it depends on ended otherwise than it asked for."],
        ["BeginTime", "Its begin time has not come."],
        ["JobHeldUser, JobHeldAdmin", "It is held: mgpu-scontrol release lets it go."],
        ["JobArrayTaskLimit", "As many tasks of its array run as may run at once."],
        ["Licenses", "Too few of a license are free."],
        ["ReqNodeNotAvail", "A node that it names is down, drained or reserved."],
        ["Reservation", "Its reservation has not begun."],
        [
          "PartitionTimeLimit, PartitionNodeLimit, PartitionDown, PartitionInactive",
          "Its partition does not let it start.",
        ],
        [
          "AssocGrpGRES, QOSMaxJobsPerUserLimit and the like",
          "A limit of its account, association or QoS: the name says which.",
        ],
      ],
    },
    {
      heading: "JOB STATE CODES",
      terms: [
        ["PD PENDING", "It waits."],
        ["R RUNNING", "It has its allocation."],
        ["S SUSPENDED", "It is stopped, and keeps its allocation."],
        ["CG COMPLETING", "It has ended; something of it is still on a node."],
        ["CD COMPLETED", "It ended with exit code 0."],
        ["F FAILED", "It ended with another exit code or by a signal."],
        ["CA CANCELLED", "Somebody ended it."],
        ["TO TIMEOUT", "It reached its time limit."],
        ["OOM OUT_OF_MEMORY", "It used more memory than it was given."],
        ["NF NODE_FAIL", "Its node failed."],
        ["PR PREEMPTED", "It made room for another job."],
        ["DL DEADLINE", "It could not end by its deadline."],
      ],
    },
  ],
  "mgpu-srun": [
    {
      heading: "SIGNALS AND ESCAPE SEQUENCES",
      texts: [
        "In a session with a terminal Ctrl-\\ and then d leaves it running, ? lists the other keys; --detach-keys chooses another key. Ctrl-] three times within a second always leaves, unless there are no such keys (none).",
        "Without one, Ctrl-C shows the states of the tasks, a second one within a second ends them. TERM and HUP end the job, unless it has a session that outlives its client. Other signals are passed on to the tasks.",
      ],
    },
  ],
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
      "GPUs are granted in thousandths. --gpus=2 is two whole ones, --gpus=0.5 half of one that others may share, --gpus=2.5 two whole ones and half of a third, --gpus=a100:2 two of a type; --gres, --gpus-per-node and --gpus-per-task read the same. A whole GPU is never shared. --gpu-mem=20G wants so much memory of each GPU, of a part of one so much in that part; alone it asks for the part of one GPU that has so much. --node-gpu-ids=n1:0,1;n2:3 names whole GPUs by their indices. Several GPUs of one node are chosen by what links them (nvidia-smi topo -m): NVLinks first, then PCIe switches, then the NUMA node. CPUs and memory for each GPU (--cpus-per-gpu, --mem-per-gpu) count for a part as much as it is.",
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
      'mgpu completion install puts the scripts for bash, zsh and fish where these shells look; eval "$(mgpu completion bash)" loads that for bash into one shell.',
    ],
  },
];

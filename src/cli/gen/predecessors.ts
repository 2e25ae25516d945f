/** The page for users of the programs that came before mgpu: what they had, and what it is now. */

import type { Topic } from "./topics.ts";

export const PREDECESSORS: Topic = {
  page: "mgpu-predecessors",
  section: "7",
  summary: "coming from the programs before mgpu: what it was, what it is",
  sections: [
    {
      heading: "DESCRIPTION",
      texts: [
        "The verbs of the earlier GPU schedulers stand under mgpu as they were. Each is a thin name for a command of today, which can do more. Jobs have whole numbers; job_000001 and eight hexadecimal digits are not understood, and said so.",
      ],
    },
    {
      heading: "MULTI-GPU SCHEDULER: BEFORE AND NOW",
      terms: [
        [
          "server, master --host --port",
          "The same under mgpu; = mgpu up --listen HOST:PORT, in the background. It prints the line with which a node joins: no machine joins without its token.",
        ],
        [
          "node --node-id --master-host --master-port --gpu-count",
          "mgpu node with the same options and --token, or with the line that mgpu server printed; = mgpu join.",
        ],
        [
          "client --host H --port P VERB",
          "mgpu --host H --port P VERB, with a key that mgpu login stored; or MGPU_CONTROLLER.",
        ],
        ['submit --gpus 2 "command"', "mgpu submit, = mgpu-sbatch --wrap. One GPU if nothing says how many."],
        [
          'submit --interactive "command"',
          "mgpu submit --interactive, = mgpu-srun. --session-timeout (7200), --connection-timeout (30), --max-wait-time (300) and --max-consecutive-timeouts (30) are options of mgpu-srun too.",
        ],
        ['--node-gpu-ids "node001:0,1;node002:0"', "The same, for mgpu-srun, mgpu-sbatch and mgpu-salloc too."],
        ["queue", "mgpu queue. mgpu-squeue and mgpu-sinfo tell more."],
        ["cancel ID", "mgpu cancel JOB, = mgpu-scancel."],
        [
          "PyTorch scripts",
          "They run unchanged; test/examples/torch_load.py looks whether torch sees the GPUs of its job.",
        ],
        ["GPUs spread over nodes", "mgpu-srun --gpus=4: the fewest nodes that can hold it."],
        [
          "client.submit_job(gpus, cmd, interactive), master.start_server()",
          'import { connect, submit, run, watch, wait, cancel, attach, startController, startNode } from "mgpu", with types; test/examples/library.mjs, and client.py for Python.',
        ],
        [
          "guide for trouble with connections",
          "mgpu doctor HOST walks through it from both ends; each error of a connection says what it means and what to do.",
        ],
      ],
    },
    {
      heading: "JOB SCHEDULER OF ONE MACHINE: BEFORE AND NOW",
      terms: [
        [
          "add SCRIPT --args --priority --gpus 0,1",
          "mgpu add with the same options; the GPUs are those that are allowed (mgpu-sbatch --allowed-gpus).",
        ],
        ["priorities 0, 1, 2", "--priority=high, normal or low of mgpu-sbatch; mgpu add takes the numbers."],
        ["list-jobs --status running", "mgpu list-jobs, = mgpu-squeue --states."],
        ["cancel-job", "mgpu cancel-job, = mgpu-scancel."],
        [
          "pause-gpu N, resume-gpu N",
          "The same with [NODE:]N; = mgpu gpu drain, mgpu gpu resume. Jobs that run there stay.",
        ],
        ["status --detailed --json --watch", "mgpu status with the same options."],
        ["screens", "mgpu screens; mgpu-sattach goes to one."],
        ["config-sample", "mgpu config-sample, = mgpu config sample."],
        ["test --quick", "mgpu test --quick: a cluster of its own in a temporary folder."],
        [
          "llm_config.json, --llm NAME",
          "models: of the configuration, or that file as it is (models: {file: llm_config.json}); --llm and --model in the arguments of a program count where no option asks for GPUs, and so does --model of mgpu-sbatch and mgpu-srun. What was decided is said.",
        ],
        [
          "conda environment of a job",
          "--conda-env NAME of mgpu-sbatch, mgpu-srun and in feeds, --venv PATH likewise; a missing one is an error before the program starts.",
        ],
        ["fractions of GPUs", "--gpus=0.5, in thousandths."],
        [
          "retry limit 5, wait 5 s; requeue",
          "--retries and --retry-wait of mgpu-sbatch for a program that fails, each wait twice the one before. A script that its node could not start goes back by itself, 5 times at most and after 5 s, and a lost node's jobs do (--requeue); neither counts as a retry. Jobs that run out of time or memory are not started again.",
        ],
        [
          "jobs file: priority,script,conda_env,arguments,allowed_gpus",
          "mgpu feed FILE --watch: the same lines, with # comments, empty fields and ranges; the controller goes on to read it after you have left. mgpu feed list tells which lines are bad.",
        ],
        [
          "duplicate guard of 10,000 lines",
          "The same for each file (feeds.remembered in the configuration); mgpu feed --resubmit queues lines again.",
        ],
        [
          "memory threshold 0.8, load threshold 0.8, window 60 s",
          "gpu.memory_threshold, gpu.load_threshold and gpu.utilization_window of the configuration, with the same defaults. Only what processes of others use counts, never that of jobs: such a GPU gets no new jobs until they let go. mgpu gpu list and mgpu why tell of it.",
        ],
        ["GPU monitor, a query each 5 s", "gpu.query_interval; one query of nvidia-smi for everybody."],
        [
          "queue limit 1000, running limit 100",
          "limits.max_queued and limits.max_running, and both with _per_user; no limit if nothing is said.",
        ],
        [
          "job timeout 3600, graceful stop 30 s",
          "--time, partitions' default_time and max_time; limits.kill_wait (30).",
        ],
        [
          "memory limit of a job 32 GB",
          "--mem, or limits.default_memory for jobs that say nothing: a job above it ends as OUT_OF_MEMORY, by the kernel's cgroups or where the node can make none by a look once a second (node.memory_enforcement).",
        ],
        [
          "allowed script paths",
          "security.allowed_script_paths: folders of which scripts and programs must be, after symbolic links. Files of mgpu have mode 0600.",
        ],
        [
          "JSON logs, 100 MB, 5 backups",
          "The same: job, attempt, nodes and GPUs in each line about a job; logging.level, logging.max_size (100), logging.backups (5).",
        ],
        [
          "metrics",
          "mgpu metrics: jobs, mean and median run time, mean and peak use of each GPU; metrics.listen for Prometheus.",
        ],
        ["health", "mgpu health: exit code 0, 1 with what is wrong, or 2 where nobody answers."],
        [
          "configuration in sections",
          "One YAML or JSON file, checked as a whole by mgpu config check, with a variable for each key; mgpu-scontrol reconfigure takes it over without a restart.",
        ],
      ],
    },
    {
      heading: "EXAMPLES",
      lines: ['mgpu submit --gpus=1 "python train.py"', "mgpu queue", "mgpu list-jobs --status running"],
    },
  ],
};

# Completion of mgpu's commands for bash. Made by "npm run generate" from the declarations of the options: do not edit.
# Run as a program, "bash mgpu.bash --candidates WORD... CURRENT" prints what fits: zsh and fish ask this way.

# SPELLING|ARGUMENT|KIND|HELP; ARGUMENT is n(one), r(equired) or o(ptional).
_mgpu_table() {
  operand= table=()
  case $1 in
    'mgpu')
      operand='grammar mgpu' table=(
        '--host|r|nothing|speak to the controller there, with the key that mgpu login stored'
        '--port|r|nothing|its port (default that of the stored key, 8080 without one)'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu up')
      operand='nothing' table=(
        '--listen|r|nothing|also for other machines, from now on and after each start; 0.0.0.0:7411 is every address of this one'
        '--no-listen|n|nothing|for this machine only again'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu down')
      operand='nothing' table=(
        '-f|n|nothing|cancel the jobs that run, instead of refusing'
        '--force|n|nothing|cancel the jobs that run, instead of refusing'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu status')
      operand='nothing' table=(
        '--json|n|nothing|print JSON'
        '--detailed|n|nothing|also each job and each node in words, as mgpu queue has them'
        '--watch|n|nothing|again every two seconds, until Ctrl-C'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu health')
      operand='nothing' table=(
        '--json|n|nothing|print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu doctor')
      operand='nothing' table=(
        '--json|n|nothing|print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu metrics')
      operand='nothing' table=(
        '-S|r|nothing|jobs that were there since then: now-7days, 2026-11-01; all otherwise'
        '--since|r|nothing|jobs that were there since then: now-7days, 2026-11-01; all otherwise'
        '--json|n|nothing|print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu nodes')
      operand='nothing' table=(
        '--json|n|nothing|print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu alloc')
      operand='grammar mgpu alloc' table=(
        '--gpus|r|ask gpus|add: GPUs of each allocation, which is one node; none otherwise'
        '--time|r|nothing|add: how long each may last: 4h, 90m, 1-12:00:00'
        '--max|r|nothing|add: allocations at once, waiting and running; 1 otherwise'
        '--backlog|r|nothing|add: of these, how many may wait there; 1 otherwise'
        '--every|r|nothing|add: least time between two submissions; none otherwise'
        '--idle|r|nothing|add: a node without a job for so long leaves; 5m otherwise'
        '--cpus|r|nothing|add: CPUs of each; otherwise the part of a node that its GPUs are of the node'\''s GPUs'
        '--mem|r|nothing|add: memory of each, such as 64G; otherwise likewise'
        '--dry-run|n|nothing|add: show the script and the command, and what Slurm says of them; submit nothing'
        '--force|n|nothing|remove: end what runs there now; its jobs go back into the queue'
        '--json|n|nothing|list: print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu join')
      operand='nothing' table=(
        '--node-id|r|nothing|name of this node; the short host name otherwise'
        '--address|r|nothing|where other nodes reach this one; otherwise the address that the controller sees'
        '--no-start|n|nothing|keep the key, and start no node daemon: mgpu systemd gives a unit for it'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu leave')
      operand='nothing' table=(
        '-f|n|nothing|also while jobs run here, or where the controller can'\''t be asked'
        '--force|n|nothing|also while jobs run here, or where the controller can'\''t be asked'
        '--keep-key|n|nothing|end the daemon only: mgpu join without a word starts it again'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu key')
      operand='nothing' table=(
        '--uses|r|nothing|token: so many machines may join with it; 1 otherwise'
        '--ttl|r|nothing|token: good for 90s, 30m, 12h or 2d; 1h otherwise'
        '--role|r|nothing|issue: user, operator, administrator, node; user otherwise'
        '--user|r|ask users|issue: as whom the bearer'\''s jobs run; NAME otherwise'
        '-a|n|nothing|list: also those that are void'
        '--all|n|nothing|list: also those that are void'
        '--json|n|nothing|list: print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu login')
      operand='nothing' table=(
        '--no-default|n|nothing|commands go on to speak to the cluster that they speak to now'
        '--json|n|nothing|print the list as JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu logout')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu use')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu systemd')
      operand='nothing' table=(
        '--user|n|nothing|for the user'\''s own systemd, without root'
        '--install|n|nothing|write it where systemd looks, rather than print it; starts nothing'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu top')
      operand='nothing' table=(
        '--demo|n|nothing|show a simulated busy cluster: nothing is started, asked or changed'
        '--read-only|n|nothing|look, but change nothing'
        '--ascii|n|nothing|draw with ASCII characters only; so it does where the locale is not UTF-8'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu why')
      operand='ask past' table=(
        '--json|n|nothing|print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu logs')
      operand='ask past' table=(
        '-f|n|nothing|go on with what comes, until the jobs end'
        '--follow|n|nothing|go on with what comes, until the jobs end'
        '-n|r|nothing|only the last lines of each file, and with --follow what comes after them'
        '--tail|r|nothing|only the last lines of each file, and with --follow what comes after them'
        '--head|r|nothing|only the first lines of each file'
        '--stdout|n|nothing|leave out what goes to a file of its own for stderr'
        '--stderr|n|nothing|only what goes to stderr'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu history')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu seff')
      operand='ask past' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu screens')
      operand='nothing' table=(
        '-a|n|nothing|those of all users, and not only one'\''s own'
        '--all|n|nothing|those of all users, and not only one'\''s own'
        '--json|n|nothing|print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu exec')
      operand='grammar mgpu exec' table=(
        '--pty|n|nothing|give it a terminal, also where mgpu-srun would not'
        '--no-pty|n|nothing|give it none, also where mgpu-srun would'
        '-w|r|ask nodes|run it on this node of the job'
        '--nodelist|r|ask nodes|run it on this node of the job'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu forward')
      operand='grammar mgpu forward' table=(
        '-w|r|ask nodes|the node of the job that is meant'
        '--nodelist|r|ask nodes|the node of the job that is meant'
        '-q|n|nothing|say nothing but errors'
        '--quiet|n|nothing|say nothing but errors'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu shims')
      operand='folder' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu sim')
      operand='file' table=(
        '-c|r|nothing|replay on such a cluster: 8x8, 1x0x128 (nodes x GPUs x CPUs), 4x8:a100,16x2:t4; without it, on this one'
        '--cluster|r|nothing|replay on such a cluster: 8x8, 1x0x128 (nodes x GPUs x CPUs), 4x8:a100,16x2:t4; without it, on this one'
        '--nodes|r|file|replay on the nodes of a table with the columns name,gpus[,cpus][,memory_mib][,type], or on those of openb'
        '-p|r|words fifo easy easy-sjbf easy-predict conservative slowdown srtf srsf srsf-whole tiresias-l likely help|compare these policies, several with commas or several times; --policy=help lists them'
        '--policy|r|words fifo easy easy-sjbf easy-predict conservative slowdown srtf srsf srsf-whole tiresias-l likely help|compare these policies, several with commas or several times; --policy=help lists them'
        '--what-if|r|nothing|and the same on a changed cluster: "+2 nodes of 8", "+1 node of 4 a100", "-1 node"; may be given several times'
        '--format|r|words muri swf swf-csv openb philly mgpu|the trace'\''s format, where it is not found out: muri, swf, swf-csv, openb, philly, mgpu'
        '-n|r|nothing|replay the first jobs only'
        '--jobs|r|nothing|replay the first jobs only'
        '-t|r|nothing|the time limit of jobs whose trace names none; without it such a limit is the run time'
        '--time-limit|r|nothing|the time limit of jobs whose trace names none; without it such a limit is the run time'
        '--event-cost|r|nothing|progress that each running job loses at every event, where jobs take turns; without it what the trace says, else 0'
        '--placement|r|words pack best-fit spread fgd thrifty random first-fit|choose nodes by this score: pack, best-fit, spread, fgd, thrifty, random, or first-fit for in their order; without it pack'
        '--json|n|nothing|print the numbers as JSON: times in seconds, shares from 0 to 1'
        '--csv|r|file|write a line for each job and policy to a file'
        '--svg|r|file|write a picture to a file: how waits are spread, and the load over time'
        '--no-chart|n|nothing|print the table alone'
        '--ascii|n|nothing|draw with ASCII characters only; so it does where the locale is not UTF-8'
        '-q|n|nothing|show no progress'
        '--quiet|n|nothing|show no progress'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu completion')
      operand='grammar mgpu completion' table=(
        '--system|n|nothing|install for all users of this machine, under /usr/local/share'
        '--slurm-names|n|nothing|install for srun, sbatch ... too, where those are links to mgpu'\''s'
        '--remove|n|nothing|remove what install made, instead of installing'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu config')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu config-sample')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu import')
      operand='nothing' table=(
        '--output|r|file|write the configuration there rather than to standard output; it must not be there yet'
        '--commands|r|file|write what is to be typed once mgpu is up there, as a script; in comments otherwise'
        '--gres|r|gres|the gres.conf; the one beside FILE otherwise, if it is there'
        '--qos|r|ask qos|QOS with their limits, as sacctmgr -P list qos printed them on the Slurm cluster'
        '--fake-gpus|n|nothing|let nodes pretend to have their GPUs, to try the configuration on other machines'
        '--force|n|nothing|write over files that are there'
        '--quiet|n|nothing|say nothing of what needs no place in the configuration, only of what is left out or changed'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu export')
      operand='nothing' table=(
        '--controller-host|r|nothing|the machine on which slurmctld is to run; this one otherwise'
        '--force|n|nothing|write over files that are there'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu submit')
      operand='nothing' table=(
        '--gpus|r|ask gpus|so many GPUs; 1 if nothing says how many'
        '--interactive|n|nothing|run it with this terminal, and wait for its end: mgpu-srun'
        '--node-gpu-ids|r|nothing|exactly these GPUs: "node001:0,1;node002:0,1"'
        '--job-name|r|nothing|name of the job'
        '--time|r|nothing|time limit'
        '--priority|r|nothing|priority of the job'
        '--session-timeout|r|nothing|with --interactive: end it so long after its start (default 7200)'
        '--connection-timeout|r|nothing|with --interactive: give up each attempt to connect then (default 30)'
        '--max-wait-time|r|nothing|with --interactive: say that a job is alive if it is so long quiet (default 300)'
        '--max-consecutive-timeouts|r|nothing|with --interactive: leave it after so many such silences (default 30)'
        '--exit-on-silence|n|nothing|with --interactive: leave it at the first such silence'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu add')
      operand='nothing' table=(
        '--args|r|nothing|arguments of the script, as the shell reads them'
        '--priority|r|nothing|0 is high, 1 normal, 2 low'
        '--gpus|r|ask gpus|the GPUs that it may run on, by their indices: 0,2-3; it gets one of them'
        '--model|r|nothing|as many GPUs as this model needs, instead of what --llm or --model in --args says, or one'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu feed')
      operand='grammar mgpu feed' table=(
        '--watch|n|nothing|the controller goes on to read the file whenever it changes, until mgpu feed stop'
        '--resubmit|n|nothing|queue every line, also those that were queued before'
        '--check|n|nothing|only say what is wrong with the file'
        '--json|n|nothing|with list: print JSON'
        '-c|r|nothing|CPUs for each task (default 1)'
        '--cpus-per-task|r|nothing|CPUs for each task (default 1)'
        '--mem|r|nothing|memory on each node, in MiB without a letter; 0 leaves it uncounted'
        '-x|r|ask nodes|nodes that must not be used'
        '--exclude|r|ask nodes|nodes that must not be used'
        '-C|r|ask features|features that the nodes must have: a, a&b, a/b'
        '--constraint|r|ask features|features that the nodes must have: a, a&b, a/b'
        '-G|r|ask gpus|GPUs for the whole job: 2, a100:2, 0.5, 2.5'
        '--gpus|r|ask gpus|GPUs for the whole job: 2, a100:2, 0.5, 2.5'
        '--gpu-mem|r|nothing|so much memory of each GPU; alone, the part of a GPU that has it'
        '-t|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '--time|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '-b|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '--begin|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '-p|r|ask partitions|partition to run in, or several (a,b): it starts in the first with room'
        '--partition|r|ask partitions|partition to run in, or several (a,b): it starts in the first with room'
        '-A|r|ask accounts|account to charge the job to'
        '--account|r|ask accounts|account to charge the job to'
        '-q|r|ask qos|quality of service of the job'
        '--qos|r|ask qos|quality of service of the job'
        '--reservation|r|ask reservations|use the nodes of this reservation'
        '--comment|r|nothing|a comment that is kept with the job'
        '--mail-type|r|words NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS ALL_DONE|when to send mail: BEGIN, END, FAIL, REQUEUE, TIME_LIMIT, ALL and others; ALL_DONE: when your last job has ended'
        '--mail-user|r|nothing|who gets the mail (default: you)'
        '--notify|r|nothing|tell web addresses of the same events: https://..., or slack:, discord:, ntfy: before one (default: the job'\''s end); desktop: a notice of this terminal at the end, of an allocation when it is granted'
        '-H|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--hold|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--retries|r|nothing|how often to start the job again by itself if it fails (default 0)'
        '--retry-wait|r|nothing|how long to wait before the first such start; each later one waits twice as long (default 10)'
        '-W|n|nothing|wait for the job'\''s end, and return its exit code'
        '--wait|n|nothing|wait for the job'\''s end, and return its exit code'
        '--progress|n|nothing|with --wait: show how the job or its array goes on: one line on a terminal, else a line for each change'
        '-D|r|folder|working directory of the job (default: where the command was typed)'
        '--chdir|r|folder|working directory of the job (default: where the command was typed)'
        '-o|r|file|where standard output goes; patterns such as %j, %x, %t; none to discard it'
        '--output|r|file|where standard output goes; patterns such as %j, %x, %t; none to discard it'
        '-e|r|file|where standard error goes (default: to standard output'\''s place)'
        '--error|r|file|where standard error goes (default: to standard output'\''s place)'
        '-Q|n|nothing|print errors only'
        '--quiet|n|nothing|print errors only'
        '--export|r|words ALL NONE|environment of the job: all of it (default), none, or names and NAME=value pairs; ALL,NAME=value adds'
        '--venv|r|file|run in this virtual environment of Python; the program does not start without it'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu queue')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu cancel')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu list-jobs')
      operand='nothing' table=(
        '--status|r|nothing|only jobs in these states: running, queued, completed, failed, cancelled or Slurm'\''s'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu cancel-job')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu server')
      operand='nothing' table=(
        '--host|r|nothing|address to listen at (default 0.0.0.0)'
        '--port|r|nothing|port to listen at (default 8080)'
        '--verbose|n|nothing|the daemon'\''s log tells more, if this starts it'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu master')
      operand='nothing' table=(
        '--host|r|nothing|address to listen at (default 0.0.0.0)'
        '--port|r|nothing|port to listen at (default 8080)'
        '--verbose|n|nothing|the daemon'\''s log tells more, if this starts it'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu node')
      operand='nothing' table=(
        '--node-id|r|nothing|name of this node; the short host name otherwise'
        '--master-host|r|nothing|where the controller is, together with --token'
        '--master-port|r|nothing|its port (default 8080)'
        '--token|r|nothing|what stands behind the # of the line that mgpu server printed'
        '--gpu-count|r|nothing|offer so many fake GPUs instead of those that are found'
        '--verbose|n|nothing|the daemon'\''s log tells more, if this starts it'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu gpu')
      operand='nothing' table=(
        '--reason|r|nothing|why, for those who ask'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu pause-gpu')
      operand='nothing' table=(
        '--reason|r|nothing|why, for those who ask'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu resume-gpu')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu test')
      operand='nothing' table=(
        '--quick|n|nothing|leave out the test with a controller that is killed'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu-sacct')
      operand='nothing' table=(
        '-A|r|ask accounts|only jobs of these accounts'
        '--accounts|r|ask accounts|only jobs of these accounts'
        '-L|n|nothing|jobs of all clusters: mgpu is one, so this changes nothing'
        '--allclusters|n|nothing|jobs of all clusters: mgpu is one, so this changes nothing'
        '-X|n|nothing|one row a job, without its steps'
        '--allocations|n|nothing|one row a job, without its steps'
        '-a|n|nothing|jobs of all users; only your own if not given, but for root and with --jobs'
        '--allusers|n|nothing|jobs of all users; only your own if not given, but for root and with --jobs'
        '--array|n|nothing|one row for each task of an array that waits; tasks that wait together have one if not given'
        '-x|r|nothing|only jobs of these associations'
        '--associations|r|nothing|only jobs of these associations'
        '-B|n|nothing|print the batch scripts of the jobs of --jobs'
        '--batch-script|n|nothing|print the batch scripts of the jobs of --jobs'
        '-b|n|nothing|print JobID, State and ExitCode'
        '--brief|n|nothing|print JobID, State and ExitCode'
        '-M|r|nothing|of these clusters of mgpu login, one after the other; local is this machine'
        '--clusters|r|nothing|of these clusters of mgpu login, one after the other; local is this machine'
        '-C|r|nothing|only jobs that asked for all of these features'
        '--constraints|r|nothing|only jobs that asked for all of these features'
        '--delimiter|r|nothing|what stands between fields with -p and -P, / if not given'
        '-D|n|nothing|also earlier starts of requeued jobs'
        '--duplicates|n|nothing|also earlier starts of requeued jobs'
        '-E|r|nothing|only jobs that were there before this time'
        '--endtime|r|nothing|only jobs that were there before this time'
        '--env-vars|n|nothing|print the environments of the jobs of --jobs'
        '--federation|n|nothing|jobs of the federation: there is none, so this changes nothing'
        '-F|r|nothing|only jobs with these flags: SchedSubmit, SchedMain, SchedBackfill'
        '--flags|r|nothing|only jobs with these flags: SchedSubmit, SchedMain, SchedBackfill'
        '-o|r|nothing|what to print: names of fields, a width after %, such as "jobid,state%20"'
        '--format|r|nothing|what to print: names of fields, a width after %, such as "jobid,state%20"'
        '-g|r|nothing|only jobs of these groups, by name or gid'
        '--group|r|nothing|only jobs of these groups, by name or gid'
        '--gid|r|nothing|only jobs of these groups, by name or gid'
        '-e|n|nothing|print the names of all fields'
        '--helpformat|n|nothing|print the names of all fields'
        '-j|r|ask past|only these jobs or steps, such as 12,12.0,13_4,14.batch,15+1'
        '--jobs|r|ask past|only these jobs or steps, such as 12,12.0,13_4,14.batch,15+1'
        '--json|o|nothing|print JSON in the shape of Slurm 23.11'
        '--local|n|nothing|jobs of this cluster: there is no other, so this changes nothing'
        '-l|n|nothing|print much of each job and step'
        '--long|n|nothing|print much of each job and step'
        '--name|r|nothing|only jobs with these names'
        '-I|r|nothing|only jobs with so many CPUs'
        '--ncpus|r|nothing|only jobs with so many CPUs'
        '-i|r|nothing|only jobs on so many nodes'
        '--nnodes|r|nothing|only jobs on so many nodes'
        '--noconvert|n|nothing|print amounts in the units in which they are kept'
        '-N|r|ask nodes|only jobs that ran on any of these nodes, such as n[1-4]'
        '--nodelist|r|ask nodes|only jobs that ran on any of these nodes, such as n[1-4]'
        '-n|n|nothing|print no line of field names'
        '--noheader|n|nothing|print no line of field names'
        '-p|n|nothing|fields between bars, with a bar at the end'
        '--parsable|n|nothing|fields between bars, with a bar at the end'
        '-P|n|nothing|fields between bars'
        '--parsable2|n|nothing|fields between bars'
        '-r|r|ask partitions|only jobs of these partitions'
        '--partition|r|ask partitions|only jobs of these partitions'
        '-q|r|ask qos|only jobs of these QOS'
        '--qos|r|ask qos|only jobs of these QOS'
        '-R|r|nothing|only jobs that waited for one of these reasons'
        '--reason|r|nothing|only jobs that waited for one of these reasons'
        '-S|r|nothing|only jobs that were there after this time: since midnight if not given'
        '--starttime|r|nothing|only jobs that were there after this time: since midnight if not given'
        '-s|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only jobs that had one of these states in the window of time, which is now if not given'
        '--state|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only jobs that had one of these states in the window of time, which is now if not given'
        '-K|r|nothing|the highest time limit, with --timelimit-min'
        '--timelimit-max|r|nothing|the highest time limit, with --timelimit-min'
        '-k|r|nothing|only jobs with this time limit, or from it on with --timelimit-max'
        '--timelimit-min|r|nothing|only jobs with this time limit, or from it on with --timelimit-max'
        '-T|n|nothing|cut starts and ends to the window of time'
        '--truncate|n|nothing|cut starts and ends to the window of time'
        '-u|r|ask users|only jobs of these users, by name or uid'
        '--user|r|ask users|only jobs of these users, by name or uid'
        '--uid|r|ask users|only jobs of these users, by name or uid'
        '--units|r|nothing|print amounts in K, M, G, T or P'
        '--use-local-uid|n|nothing|uids as this machine knows them: they always are'
        '-v|n|nothing|say which window of time is looked at'
        '--verbose|n|nothing|say which window of time is looked at'
        '-W|r|nothing|only jobs with these wckeys'
        '--wckeys|r|nothing|only jobs with these wckeys'
        '--whole-hetjob|o|nothing|all components of a heterogeneous job: yes'
        '--yaml|o|nothing|print YAML in the shape of Slurm 23.11'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sacctmgr')
      operand='grammar mgpu-sacctmgr' table=(
        '-s|n|nothing|with list: show the associations of each account or user'
        '--associations|n|nothing|with list: show the associations of each account or user'
        '-i|n|nothing|make changes without asking'
        '--immediate|n|nothing|make changes without asking'
        '-n|n|nothing|print no line of column names'
        '--noheader|n|nothing|print no line of column names'
        '-p|n|nothing|print columns with / between them and at the end'
        '--parsable|n|nothing|print columns with / between them and at the end'
        '-P|n|nothing|print columns with / between them'
        '--parsable2|n|nothing|print columns with / between them'
        '-Q|n|nothing|say nothing but errors'
        '--quiet|n|nothing|say nothing but errors'
        '-r|n|nothing|make no changes'
        '--readonly|n|nothing|make no changes'
        '-v|n|nothing|no effect: errors say all there is to say'
        '--verbose|n|nothing|no effect: errors say all there is to say'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu-salloc')
      operand='command' table=(
        '-n|r|nothing|number of tasks to run (default 1, or one on each node)'
        '--ntasks|r|nothing|number of tasks to run (default 1, or one on each node)'
        '-N|r|nothing|number of nodes'
        '--nodes|r|nothing|number of nodes'
        '--ntasks-per-node|r|nothing|tasks on each node; with --ntasks the most on any node'
        '--tasks-per-node|r|nothing|tasks on each node; with --ntasks the most on any node'
        '--ntasks-per-gpu|r|nothing|tasks for each GPU'
        '--ntasks-per-tres|r|nothing|tasks for each GPU'
        '-c|r|nothing|CPUs for each task (default 1)'
        '--cpus-per-task|r|nothing|CPUs for each task (default 1)'
        '--cpus-per-gpu|r|nothing|CPUs for each GPU, instead of --cpus-per-task'
        '--mincpus|r|nothing|use nodes with at least so many CPUs only'
        '--mem|r|nothing|memory on each node, in MiB without a letter; 0 leaves it uncounted'
        '--mem-per-cpu|r|nothing|memory for each CPU, instead of --mem'
        '--mem-per-gpu|r|nothing|memory for each GPU, instead of --mem'
        '--exclusive|o|nothing|whole nodes, shared with no other job; user: shared with no other user; for a step as --exact'
        '-O|n|nothing|all tasks of a node share one CPU'
        '--overcommit|n|nothing|all tasks of a node share one CPU'
        '-w|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '--nodelist|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '-x|r|ask nodes|nodes that must not be used'
        '--exclude|r|ask nodes|nodes that must not be used'
        '-F|r|file|as --nodelist, with the names in a file'
        '--nodefile|r|file|as --nodelist, with the names in a file'
        '-C|r|ask features|features that the nodes must have: a, a&b, a/b'
        '--constraint|r|ask features|features that the nodes must have: a, a&b, a/b'
        '--contiguous|n|nothing|only nodes that are next to each other in the order of their names'
        '--spread-job|n|nothing|use as many nodes as allowed rather than as few as possible'
        '-m|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '--distribution|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '-G|r|ask gpus|GPUs for the whole job: 2, a100:2, 0.5, 2.5'
        '--gpus|r|ask gpus|GPUs for the whole job: 2, a100:2, 0.5, 2.5'
        '--gpus-per-node|r|ask gpus|GPUs on each node'
        '--gpus-per-task|r|ask gpus|GPUs for each task, seen by it alone'
        '--gpus-per-socket|r|ask gpus|GPUs for each of --sockets-per-node, on each node'
        '--sockets-per-node|r|nothing|multiplies --gpus-per-socket; has no other effect'
        '--gres|r|gres|GPUs on each node: gpu, gpu:2, gpu:a100:2, gpu:0.5, none'
        '--tres-per-task|r|words cpu= gres/gpu:|for each task: gres/gpu=1,cpu=4'
        '--gpu-bind|r|words closest single: map: mask: none|which of its node'\''s GPUs each task sees: none, single:tasks, per_task:n, map_gpu:list, mask_gpu:list'
        '--tres-bind|r|nothing|as --gpu-bind'
        '--gpu-mem|r|nothing|so much memory of each GPU; alone, the part of a GPU that has it'
        '--node-gpu-ids|r|nothing|exactly these GPUs, by their indices on their nodes: node1:0,1;node2:3'
        '--allowed-gpus|r|nothing|only GPUs with these indices, on whatever node: 0,2-3; how many of them other options say'
        '--model|r|nothing|as many GPUs as the configuration says that this model needs'
        '-t|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '--time|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '--time-min|r|nothing|a shorter limit that will do if the job can start earlier with it'
        '-b|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '--begin|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '--deadline|r|nothing|give the job up if it can'\''t be over by this time'
        '-I|o|nothing|give up if the job has not started within so many seconds (default 1)'
        '--immediate|o|nothing|give up if the job has not started within so many seconds (default 1)'
        '--signal|r|words INT TERM USR1 USR2 HUP KILL CONT STOP|send a signal so many seconds (default 60) before the time limit: to the steps, with B: to the batch shell'
        '-J|r|nothing|name of the job'
        '--job-name|r|nothing|name of the job'
        '-p|r|ask partitions|partition to run in, or several (a,b): it starts in the first with room'
        '--partition|r|ask partitions|partition to run in, or several (a,b): it starts in the first with room'
        '-A|r|ask accounts|account to charge the job to'
        '--account|r|ask accounts|account to charge the job to'
        '-q|r|ask qos|quality of service of the job'
        '--qos|r|ask qos|quality of service of the job'
        '--reservation|r|ask reservations|use the nodes of this reservation'
        '-L|r|ask licenses|licenses that the job needs while it runs'
        '--licenses|r|ask licenses|licenses that the job needs while it runs'
        '--comment|r|nothing|a comment that is kept with the job'
        '--wckey|r|nothing|a key for accounting that is kept with the job'
        '--mail-type|r|words NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS ALL_DONE|when to send mail: BEGIN, END, FAIL, REQUEUE, TIME_LIMIT, ALL and others; ALL_DONE: when your last job has ended'
        '--mail-user|r|nothing|who gets the mail (default: you)'
        '--notify|r|nothing|tell web addresses of the same events: https://..., or slack:, discord:, ntfy: before one (default: the job'\''s end); desktop: a notice of this terminal at the end, of an allocation when it is granted'
        '-M|r|nothing|this cluster'\''s name or all: there is one'
        '--clusters|r|nothing|this cluster'\''s name or all: there is one'
        '--cluster|r|nothing|this cluster'\''s name or all: there is one'
        '--uid|r|ask users|for root: whose job it is, where mgpu is root'\''s'
        '--gid|r|nothing|for root: the group that the job works in'
        '-H|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--hold|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--priority|r|nothing|priority of the job: high, normal or low, a number, higher first, or TOP'
        '--nice|o|nothing|lower the job'\''s priority by this much (default 100)'
        '-d|r|dependency|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '--dependency|r|dependency|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '-k|o|nothing|go on when one of the job'\''s nodes fails'
        '--no-kill|o|nothing|go on when one of the job'\''s nodes fails'
        '-D|r|folder|working directory of the job (default: where the command was typed)'
        '--chdir|r|folder|working directory of the job (default: where the command was typed)'
        '-Q|n|nothing|print errors only'
        '--quiet|n|nothing|print errors only'
        '-v|n|nothing|say what happens'
        '--verbose|n|nothing|say what happens'
        '--conda-env|r|nothing|run in this conda environment of the node, by name or folder; the program does not start without it'
        '--venv|r|file|run in this virtual environment of Python; the program does not start without it'
        '--no-shell|n|nothing|allocate, and run nothing'
        '--bell|n|nothing|ring the terminal'\''s bell when the job has its resources, however soon'
        '--no-bell|n|nothing|never ring the terminal'\''s bell'
        '-K|o|nothing|send the command this signal (default TERM) when the job is ended'
        '--kill-command|o|nothing|send the command this signal (default TERM) when the job is ended'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sattach')
      operand='ask sessions' table=(
        '--error-filter|r|nothing|show only this task'\''s stderr'
        '--input-filter|r|nothing|what is typed is for this task only, and not for all'
        '-l|n|nothing|put its task'\''s number before each line'
        '--label|n|nothing|put its task'\''s number before each line'
        '--layout|n|nothing|show which tasks run where, and end'
        '--output-filter|r|nothing|show only this task'\''s stdout'
        '--detach-keys|r|words ctrl-a ctrl-b ctrl-p ctrl-\ none|key before d (detach), k (kill), ? (help) in a session: ctrl-\ (default), ctrl-a ..., or "none"'
        '--pty|n|nothing|no effect: a step with a terminal is attached to that'
        '-r|n|nothing|look on at a session, without typing'
        '--read-only|n|nothing|look on at a session, without typing'
        '--steal|n|nothing|take a session over from whoever is attached to it'
        '-Q|n|nothing|say nothing but errors'
        '--quiet|n|nothing|say nothing but errors'
        '-u|n|nothing|show a short reminder of the usage'
        '--usage|n|nothing|show a short reminder of the usage'
        '-v|n|nothing|no effect: there is no more to say'
        '--verbose|n|nothing|no effect: there is no more to say'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu-sbatch')
      operand='file' table=(
        '-n|r|nothing|number of tasks to run (default 1, or one on each node)'
        '--ntasks|r|nothing|number of tasks to run (default 1, or one on each node)'
        '-N|r|nothing|number of nodes'
        '--nodes|r|nothing|number of nodes'
        '--ntasks-per-node|r|nothing|tasks on each node; with --ntasks the most on any node'
        '--tasks-per-node|r|nothing|tasks on each node; with --ntasks the most on any node'
        '--ntasks-per-gpu|r|nothing|tasks for each GPU'
        '--ntasks-per-tres|r|nothing|tasks for each GPU'
        '-c|r|nothing|CPUs for each task (default 1)'
        '--cpus-per-task|r|nothing|CPUs for each task (default 1)'
        '--cpus-per-gpu|r|nothing|CPUs for each GPU, instead of --cpus-per-task'
        '--mincpus|r|nothing|use nodes with at least so many CPUs only'
        '--mem|r|nothing|memory on each node, in MiB without a letter; 0 leaves it uncounted'
        '--mem-per-cpu|r|nothing|memory for each CPU, instead of --mem'
        '--mem-per-gpu|r|nothing|memory for each GPU, instead of --mem'
        '--exclusive|o|nothing|whole nodes, shared with no other job; user: shared with no other user; for a step as --exact'
        '-O|n|nothing|all tasks of a node share one CPU'
        '--overcommit|n|nothing|all tasks of a node share one CPU'
        '-w|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '--nodelist|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '-x|r|ask nodes|nodes that must not be used'
        '--exclude|r|ask nodes|nodes that must not be used'
        '-F|r|file|as --nodelist, with the names in a file'
        '--nodefile|r|file|as --nodelist, with the names in a file'
        '-C|r|ask features|features that the nodes must have: a, a&b, a/b'
        '--constraint|r|ask features|features that the nodes must have: a, a&b, a/b'
        '--contiguous|n|nothing|only nodes that are next to each other in the order of their names'
        '--spread-job|n|nothing|use as many nodes as allowed rather than as few as possible'
        '-m|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '--distribution|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '-G|r|ask gpus|GPUs for the whole job: 2, a100:2, 0.5, 2.5'
        '--gpus|r|ask gpus|GPUs for the whole job: 2, a100:2, 0.5, 2.5'
        '--gpus-per-node|r|ask gpus|GPUs on each node'
        '--gpus-per-task|r|ask gpus|GPUs for each task, seen by it alone'
        '--gpus-per-socket|r|ask gpus|GPUs for each of --sockets-per-node, on each node'
        '--sockets-per-node|r|nothing|multiplies --gpus-per-socket; has no other effect'
        '--gres|r|gres|GPUs on each node: gpu, gpu:2, gpu:a100:2, gpu:0.5, none'
        '--tres-per-task|r|words cpu= gres/gpu:|for each task: gres/gpu=1,cpu=4'
        '--gpu-bind|r|words closest single: map: mask: none|which of its node'\''s GPUs each task sees: none, single:tasks, per_task:n, map_gpu:list, mask_gpu:list'
        '--tres-bind|r|nothing|as --gpu-bind'
        '--gpu-mem|r|nothing|so much memory of each GPU; alone, the part of a GPU that has it'
        '--node-gpu-ids|r|nothing|exactly these GPUs, by their indices on their nodes: node1:0,1;node2:3'
        '--allowed-gpus|r|nothing|only GPUs with these indices, on whatever node: 0,2-3; how many of them other options say'
        '--model|r|nothing|as many GPUs as the configuration says that this model needs'
        '-t|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '--time|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '--time-min|r|nothing|a shorter limit that will do if the job can start earlier with it'
        '-b|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '--begin|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '--deadline|r|nothing|give the job up if it can'\''t be over by this time'
        '--signal|r|words INT TERM USR1 USR2 HUP KILL CONT STOP|send a signal so many seconds (default 60) before the time limit: to the steps, with B: to the batch shell'
        '-J|r|nothing|name of the job'
        '--job-name|r|nothing|name of the job'
        '-p|r|ask partitions|partition to run in, or several (a,b): it starts in the first with room'
        '--partition|r|ask partitions|partition to run in, or several (a,b): it starts in the first with room'
        '-A|r|ask accounts|account to charge the job to'
        '--account|r|ask accounts|account to charge the job to'
        '-q|r|ask qos|quality of service of the job'
        '--qos|r|ask qos|quality of service of the job'
        '--reservation|r|ask reservations|use the nodes of this reservation'
        '-L|r|ask licenses|licenses that the job needs while it runs'
        '--licenses|r|ask licenses|licenses that the job needs while it runs'
        '--comment|r|nothing|a comment that is kept with the job'
        '--wckey|r|nothing|a key for accounting that is kept with the job'
        '--mail-type|r|words NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS ALL_DONE|when to send mail: BEGIN, END, FAIL, REQUEUE, TIME_LIMIT, ALL and others; ALL_DONE: when your last job has ended'
        '--mail-user|r|nothing|who gets the mail (default: you)'
        '--notify|r|nothing|tell web addresses of the same events: https://..., or slack:, discord:, ntfy: before one (default: the job'\''s end); desktop: a notice of this terminal at the end, of an allocation when it is granted'
        '-M|r|nothing|this cluster'\''s name or all: there is one'
        '--clusters|r|nothing|this cluster'\''s name or all: there is one'
        '--cluster|r|nothing|this cluster'\''s name or all: there is one'
        '--uid|r|ask users|for root: whose job it is, where mgpu is root'\''s'
        '--gid|r|nothing|for root: the group that the job works in'
        '-H|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--hold|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--priority|r|nothing|priority of the job: high, normal or low, a number, higher first, or TOP'
        '--nice|o|nothing|lower the job'\''s priority by this much (default 100)'
        '-d|r|dependency|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '--dependency|r|dependency|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '--kill-on-invalid-dep|r|words yes no|cancel the job if its dependency can never be met'
        '-a|r|nothing|run the script once for each number: 0-9, 1,3,5-7, 0-15:4; %4 runs four at a time'
        '--array|r|nothing|run the script once for each number: 0-9, 1,3,5-7, 0-15:4; %4 runs four at a time'
        '--requeue|n|nothing|start the job again if its node fails (default)'
        '--no-requeue|n|nothing|never start the job again'
        '--retries|r|nothing|how often to start the job again by itself if it fails (default 0)'
        '--retry-wait|r|nothing|how long to wait before the first such start; each later one waits twice as long (default 10)'
        '-k|o|nothing|go on when one of the job'\''s nodes fails'
        '--no-kill|o|nothing|go on when one of the job'\''s nodes fails'
        '--test-only|n|nothing|queue nothing: say when and where the job would start'
        '-W|n|nothing|wait for the job'\''s end, and return its exit code'
        '--wait|n|nothing|wait for the job'\''s end, and return its exit code'
        '--progress|n|nothing|with --wait: show how the job or its array goes on: one line on a terminal, else a line for each change'
        '-D|r|folder|working directory of the job (default: where the command was typed)'
        '--chdir|r|folder|working directory of the job (default: where the command was typed)'
        '-o|r|file|where standard output goes; patterns such as %j, %x, %t; none to discard it'
        '--output|r|file|where standard output goes; patterns such as %j, %x, %t; none to discard it'
        '-e|r|file|where standard error goes (default: to standard output'\''s place)'
        '--error|r|file|where standard error goes (default: to standard output'\''s place)'
        '-i|r|file|where standard input comes from: a file, none, and for srun all or the number of one task'
        '--input|r|file|where standard input comes from: a file, none, and for srun all or the number of one task'
        '--open-mode|r|words append truncate|whether output files are added to or started anew (default truncate)'
        '--wrap|r|nothing|submit a one-line shell script made of this command'
        '--each|n|nothing|each operand is a script, and becomes a job of its own; with - each line of standard input names one'
        '--parsable|n|nothing|print nothing but the job'\''s number'
        '-Q|n|nothing|print errors only'
        '--quiet|n|nothing|print errors only'
        '-v|n|nothing|say what happens'
        '--verbose|n|nothing|say what happens'
        '--pty|n|nothing|run the task in a terminal of its own, to which mgpu-sattach comes back'
        '--inactivity-timeout|r|nothing|end a session into which nobody typed and which printed nothing for so long'
        '--export|r|words ALL NONE|environment of the job: all of it (default), none, or names and NAME=value pairs; ALL,NAME=value adds'
        '--export-file|r|file|variables of the job from a file: NAME=value pairs, each ended by a NUL, or one a line'
        '--get-user-env|o|nothing|add the variables that your login shell sets, waiting for it so long at most'
        '--propagate|o|nothing|soft limits of this shell that the job gets: all (default), none, or some such as STACK,CORE'
        '--conda-env|r|nothing|run in this conda environment of the node, by name or folder; the program does not start without it'
        '--venv|r|file|run in this virtual environment of Python; the program does not start without it'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sbcast')
      operand='file' table=(
        '-C|o|nothing|no effect: copies travel as they are'
        '--compress|o|nothing|no effect: copies travel as they are'
        '--exclude|r|ask nodes|no effect: no libraries are copied along'
        '-F|r|nothing|no effect: all nodes get the file side by side'
        '--fanout|r|nothing|no effect: all nodes get the file side by side'
        '-f|n|nothing|replace a file that exists'
        '--force|n|nothing|replace a file that exists'
        '-j|r|ask jobs|to the nodes of this job or step, rather than of the job that the command runs in'
        '--jobid|r|ask jobs|to the nodes of this job or step, rather than of the job that the command runs in'
        '-p|n|nothing|keep the file'\''s times'
        '--preserve|n|nothing|keep the file'\''s times'
        '--send-libs|o|nothing|no only: libraries are not copied along'
        '-s|r|nothing|send so much at once: bytes, or k or m for more; 1m unless told otherwise'
        '--size|r|nothing|send so much at once: bytes, or k or m for more; 1m unless told otherwise'
        '-t|r|nothing|no effect: a node is waited for as long as it is there'
        '--timeout|r|nothing|no effect: a node is waited for as long as it is there'
        '-v|n|nothing|say which nodes get the file'
        '--verbose|n|nothing|say which nodes get the file'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu-scancel')
      operand='ask targets' table=(
        '-A|r|ask accounts|only jobs charged to these accounts'
        '--account|r|ask accounts|only jobs charged to these accounts'
        '-b|n|nothing|signal the shell of the batch script, not the steps'
        '--batch|n|nothing|signal the shell of the batch script, not the steps'
        '-M|r|nothing|this cluster'\''s name or all: there is one'
        '--clusters|r|nothing|this cluster'\''s name or all: there is one'
        '--ctld|n|nothing|no effect: all requests go through the controller'
        '-f|n|nothing|signal the steps, the batch script and all of its children'
        '--full|n|nothing|signal the steps, the batch script and all of its children'
        '-H|n|nothing|no effect: there are no burst buffers to empty'
        '--hurry|n|nothing|no effect: there are no burst buffers to empty'
        '-i|n|nothing|ask before each job or step'
        '--interactive|n|nothing|ask before each job or step'
        '--me|n|nothing|only my own jobs'
        '-n|r|nothing|only jobs with these names'
        '--name|r|nothing|only jobs with these names'
        '--jobname|r|nothing|only jobs with these names'
        '-w|r|ask nodes|only jobs that run on one of these nodes; a name with a / is a file that lists them'
        '--nodelist|r|ask nodes|only jobs that run on one of these nodes; a name with a / is a file that lists them'
        '-p|r|ask partitions|only jobs in these partitions'
        '--partition|r|ask partitions|only jobs in these partitions'
        '-q|r|ask qos|only jobs with these qualities of service'
        '--qos|r|ask qos|only jobs with these qualities of service'
        '-Q|n|nothing|report nothing, whatever happens'
        '--quiet|n|nothing|report nothing, whatever happens'
        '-R|r|ask reservations|only jobs in these reservations'
        '--reservation|r|ask reservations|only jobs in these reservations'
        '--sibling|r|nothing|refused: there are no federations of clusters'
        '-s|r|words INT TERM USR1 USR2 HUP KILL CONT STOP|send this signal to the running steps instead of ending the job; a name or a number'
        '--signal|r|words INT TERM USR1 USR2 HUP KILL CONT STOP|send this signal to the running steps instead of ending the job; a name or a number'
        '-t|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only jobs in these states'
        '--state|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only jobs in these states'
        '-u|r|ask users|only jobs of these users, by name or number'
        '--user|r|ask users|only jobs of these users, by name or number'
        '-v|n|nothing|say what is done, and report jobs that were over already'
        '--verbose|n|nothing|say what is done, and report jobs that were over already'
        '--wckey|r|nothing|only jobs with these workload keys'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-scontrol')
      operand='grammar mgpu-scontrol' table=(
        '-a|n|nothing|show hidden partitions too'
        '--all|n|nothing|show hidden partitions too'
        '-M|r|nothing|this cluster'\''s name: there is one'
        '--clusters|r|nothing|this cluster'\''s name: there is one'
        '-d|n|nothing|show more of each job; may be repeated'
        '--details|n|nothing|show more of each job; may be repeated'
        '--federation|n|nothing|no effect: there are no federations of clusters'
        '-F|n|nothing|no effect: there are no nodes to come'
        '--future|n|nothing|no effect: there are no nodes to come'
        '--hide|n|nothing|no effect: nothing is hidden'
        '--json|o|nothing|print JSON in the shape of Slurm 23.11'
        '--local|n|nothing|no effect: there is one cluster'
        '-o|n|nothing|one line a record'
        '--oneliner|n|nothing|one line a record'
        '-Q|n|nothing|say nothing but errors'
        '--quiet|n|nothing|say nothing but errors'
        '--sibling|n|nothing|no effect: there are no federations of clusters'
        '-u|r|ask users|refused: requests are your own'
        '--uid|r|ask users|refused: requests are your own'
        '-v|n|nothing|no effect: errors say all there is to say'
        '--verbose|n|nothing|no effect: errors say all there is to say'
        '--yaml|o|nothing|print YAML with the contents of --json'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sdiag')
      operand='nothing' table=(
        '-a|n|nothing|print all statistics; this is what is done without it too'
        '--all|n|nothing|print all statistics; this is what is done without it too'
        '-M|r|nothing|this cluster'\''s name: there is one'
        '--cluster|r|nothing|this cluster'\''s name: there is one'
        '--json|n|nothing|print JSON'
        '-r|n|nothing|set all counters to 0'
        '--reset|n|nothing|set all counters to 0'
        '-i|n|nothing|order calls by their names'
        '--sort-by-id|n|nothing|order calls by their names'
        '-t|n|nothing|order calls by the time they took together'
        '--sort-by-time|n|nothing|order calls by the time they took together'
        '-T|n|nothing|order calls by the time they took on average'
        '--sort-by-time2|n|nothing|order calls by the time they took on average'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-seff')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu-sinfo')
      operand='nothing' table=(
        '-a|n|nothing|show hidden partitions too'
        '--all|n|nothing|show hidden partitions too'
        '-M|r|nothing|of these clusters of mgpu login, one after the other; local is this machine'
        '--clusters|r|nothing|of these clusters of mgpu login, one after the other; local is this machine'
        '--cluster|r|nothing|of these clusters of mgpu login, one after the other; local is this machine'
        '-d|n|nothing|only nodes whose daemon does not respond'
        '--dead|n|nothing|only nodes whose daemon does not respond'
        '-e|n|nothing|nodes with different CPUs or memory get rows of their own'
        '--exact|n|nothing|nodes with different CPUs or memory get rows of their own'
        '--federation|n|nothing|show partitions of the federation; mgpu is in none, so this changes nothing'
        '-O|r|nothing|what to print: name[:[.][width][suffix]],... for instance NodeList:20,StateLong'
        '--Format|r|nothing|what to print: name[:[.][width][suffix]],... for instance NodeList:20,StateLong'
        '-o|r|nothing|what to print: %[.][width]letter and text between, for instance "%N %t %G"'
        '--format|r|nothing|what to print: %[.][width]letter and text between, for instance "%N %t %G"'
        '--gpus|n|nothing|a row for each node with its GPUs: granted, type, and which are free'
        '--hide|n|nothing|leave out hidden partitions, as without --all'
        '-i|r|nothing|print again and again'
        '--iterate|r|nothing|print again and again'
        '--json|o|nothing|print JSON in the shape of Slurm 23.11 (data_parser v0.0.40); list tells the shapes there are'
        '-R|n|nothing|why nodes are down, drained or failing'
        '--list-reasons|n|nothing|why nodes are down, drained or failing'
        '--local|n|nothing|show this cluster only; there is no other'
        '-l|n|nothing|print more of each partition, or with -N of each node'
        '--long|n|nothing|print more of each partition, or with -N of each node'
        '--noconvert|n|nothing|print memory in MiB; it is printed so anyway'
        '-N|n|nothing|a row for each node and partition'
        '--Node|n|nothing|a row for each node and partition'
        '-n|r|ask nodes|only these nodes, such as n[1-4],login'
        '--nodes|r|ask nodes|only these nodes, such as n[1-4],login'
        '-h|n|nothing|print no line of column names'
        '--noheader|n|nothing|print no line of column names'
        '-p|r|ask partitions|only these partitions'
        '--partition|r|ask partitions|only these partitions'
        '-T|n|nothing|show reservations instead'
        '--reservation|n|nothing|show reservations instead'
        '-r|n|nothing|only nodes whose daemon responds'
        '--responding|n|nothing|only nodes whose daemon responds'
        '-S|r|nothing|order by these letters of --format, each with - for descending order; #P,-t if not given'
        '--sort|r|nothing|order by these letters of --format, each with - for descending order; #P,-t if not given'
        '-t|r|words idle alloc mix down drain drained draining fail resv unk all|only nodes in these states, such as idle,mix; down&drain for both at once'
        '--states|r|words idle alloc mix down drain drained draining fail resv unk all|only nodes in these states, such as idle,mix; down&drain for both at once'
        '-s|n|nothing|a row for each partition with its nodes counted by state'
        '--summarize|n|nothing|a row for each partition with its nodes counted by state'
        '-v|n|nothing|tell first what is asked for'
        '--verbose|n|nothing|tell first what is asked for'
        '--yaml|o|nothing|print YAML with the contents of --json'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sprio')
      operand='nothing' table=(
        '--federation|n|nothing|no effect: there are no federations of clusters'
        '-j|r|ask jobs|only these jobs'
        '--jobs|r|ask jobs|only these jobs'
        '--local|n|nothing|no effect: there is one cluster'
        '-l|n|nothing|print all parts, with nice values and TRES'
        '--long|n|nothing|print all parts, with nice values and TRES'
        '-M|r|nothing|this cluster'\''s name: there is one'
        '--cluster|r|nothing|this cluster'\''s name: there is one'
        '-h|n|nothing|print no line of column names'
        '--noheader|n|nothing|print no line of column names'
        '-n|n|nothing|print factors from 0 to 1 instead of what they add up to'
        '--norm|n|nothing|print factors from 0 to 1 instead of what they add up to'
        '-o|r|nothing|what to print, for instance "%i %Y %F"'
        '--format|r|nothing|what to print, for instance "%i %Y %F"'
        '-p|r|ask partitions|only jobs of these partitions'
        '--partition|r|ask partitions|only jobs of these partitions'
        '--sibling|n|nothing|no effect: there are no federations of clusters'
        '-S|r|nothing|order by these columns, each with - before it for the highest first'
        '--sort|r|nothing|order by these columns, each with - before it for the highest first'
        '-u|r|ask users|only jobs of these users'
        '--user|r|ask users|only jobs of these users'
        '-v|n|nothing|no effect: errors say all there is to say'
        '--verbose|n|nothing|no effect: errors say all there is to say'
        '-w|n|nothing|print the weights instead of jobs'
        '--weights|n|nothing|print the weights instead of jobs'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-squeue')
      operand='nothing' table=(
        '-A|r|ask accounts|only jobs of these accounts'
        '--account|r|ask accounts|only jobs of these accounts'
        '--accounts|r|ask accounts|only jobs of these accounts'
        '-a|n|nothing|show jobs of all partitions; no partition of mgpu is hidden, so this changes nothing'
        '--all|n|nothing|show jobs of all partitions; no partition of mgpu is hidden, so this changes nothing'
        '-r|n|nothing|one line for each task of an array; tasks that wait together have one line if not given'
        '--array|n|nothing|one line for each task of an array; tasks that wait together have one line if not given'
        '--array-unique|n|nothing|one line for each array; that is so anyway'
        '-M|r|nothing|of these clusters of mgpu login, one after the other; local is this machine'
        '--clusters|r|nothing|of these clusters of mgpu login, one after the other; local is this machine'
        '--cluster|r|nothing|of these clusters of mgpu login, one after the other; local is this machine'
        '--at|r|nothing|the queue as it stood then, from accounting: 14:30, now-2hours, 2026-11-21T08:00'
        '--expand-patterns|n|nothing|names of files are filled in; they are so anyway'
        '-O|r|nothing|what to print: name[:[.][width][suffix]],... for instance JobID:8,Name:.20,State'
        '--Format|r|nothing|what to print: name[:[.][width][suffix]],... for instance JobID:8,Name:.20,State'
        '--federation|n|nothing|show jobs of the federation; mgpu is in none, so this changes nothing'
        '-o|r|nothing|what to print: %[.][width]letter and text between, for instance "%.18i %j %T"'
        '--format|r|nothing|what to print: %[.][width]letter and text between, for instance "%.18i %j %T"'
        '--hide|n|nothing|leave out hidden partitions; none is hidden'
        '--interactive|n|nothing|show the queue on the whole screen, live; -i without anything else does the same'
        '-i|r|nothing|print again and again'
        '--iterate|r|nothing|print again and again'
        '-j|o|ask jobs|only these jobs; separate ids by commas'
        '--jobs|o|ask jobs|only these jobs; separate ids by commas'
        '--json|o|nothing|print JSON in the shape of Slurm 23.11 (data_parser v0.0.40); list tells the shapes there are'
        '-L|r|ask licenses|only jobs that ask for one of these licenses'
        '--licenses|r|ask licenses|only jobs that ask for one of these licenses'
        '--local|n|nothing|show jobs of this cluster only; there is no other'
        '-l|n|nothing|print long state names and time limits too'
        '--long|n|nothing|print long state names and time limits too'
        '--me|n|nothing|only my own jobs'
        '-n|r|nothing|only jobs with these names'
        '--name|r|nothing|only jobs with these names'
        '--noconvert|n|nothing|print memory in MiB, not in the largest unit that fits'
        '-w|r|ask nodes|only jobs that run on one of these nodes'
        '--nodelist|r|ask nodes|only jobs that run on one of these nodes'
        '--nodes|r|ask nodes|only jobs that run on one of these nodes'
        '-h|n|nothing|print no line of column names'
        '--noheader|n|nothing|print no line of column names'
        '--notme|n|nothing|only jobs of others'
        '-p|r|ask partitions|only jobs in these partitions'
        '--partition|r|ask partitions|only jobs in these partitions'
        '-P|n|nothing|one line for each partition that a waiting job asks for; each asks for one'
        '--priority|n|nothing|one line for each partition that a waiting job asks for; each asks for one'
        '-q|r|ask qos|only jobs with these qualities of service'
        '--qos|r|ask qos|only jobs with these qualities of service'
        '-R|r|ask reservations|only jobs of this reservation'
        '--reservation|r|ask reservations|only jobs of this reservation'
        '--sibling|n|nothing|show siblings of a federation'\''s jobs; there are none'
        '--sib|n|nothing|show siblings of a federation'\''s jobs; there are none'
        '-S|r|nothing|order by these letters of --format, each with - for descending order; by job id if not given'
        '--sort|r|nothing|order by these letters of --format, each with - for descending order; by job id if not given'
        '--start|n|nothing|show when and where waiting jobs should start'
        '-t|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only jobs in these states, by long or short name, or all; jobs that are not over if not given'
        '--states|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only jobs in these states, by long or short name, or all; jobs that are not over if not given'
        '-s|o|ask steps|show job steps, such as 12.0,13'
        '--steps|o|ask steps|show job steps, such as 12.0,13'
        '-u|r|ask users|only jobs of these users, by name or number'
        '--user|r|ask users|only jobs of these users, by name or number'
        '--users|r|ask users|only jobs of these users, by name or number'
        '-v|n|nothing|tell first what is asked for'
        '--verbose|n|nothing|tell first what is asked for'
        '--yaml|o|nothing|print YAML with the contents of --json'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sreport')
      operand='grammar mgpu-sreport' table=(
        '-a|n|nothing|no effect: there is one cluster'
        '--all_clusters|n|nothing|no effect: there is one cluster'
        '-M|r|nothing|this cluster'\''s name: there is one'
        '--cluster|r|nothing|this cluster'\''s name: there is one'
        '-n|n|nothing|print no heading and no line of column names'
        '--noheader|n|nothing|print no heading and no line of column names'
        '-p|n|nothing|print columns with / between them and at the end'
        '--parsable|n|nothing|print columns with / between them and at the end'
        '-P|n|nothing|print columns with / between them'
        '--parsable2|n|nothing|print columns with / between them'
        '-Q|n|nothing|no effect: nothing but errors is said'
        '--quiet|n|nothing|no effect: nothing but errors is said'
        '-t|r|nothing|seconds, minutes, hours, percent, secper ...'
        '--time|r|nothing|seconds, minutes, hours, percent, secper ...'
        '-T|r|words cpu mem gres/gpu billing node ALL|what to count: cpu, mem, node, gres/gpu ...'
        '--tres|r|words cpu mem gres/gpu billing node ALL|what to count: cpu, mem, node, gres/gpu ...'
        '-v|n|nothing|no effect: errors say all there is to say'
        '--verbose|n|nothing|no effect: errors say all there is to say'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-srun')
      operand='command' table=(
        '-n|r|nothing|number of tasks to run (default 1, or one on each node)'
        '--ntasks|r|nothing|number of tasks to run (default 1, or one on each node)'
        '-N|r|nothing|number of nodes'
        '--nodes|r|nothing|number of nodes'
        '--ntasks-per-node|r|nothing|tasks on each node; with --ntasks the most on any node'
        '--tasks-per-node|r|nothing|tasks on each node; with --ntasks the most on any node'
        '--ntasks-per-gpu|r|nothing|tasks for each GPU'
        '--ntasks-per-tres|r|nothing|tasks for each GPU'
        '-c|r|nothing|CPUs for each task (default 1)'
        '--cpus-per-task|r|nothing|CPUs for each task (default 1)'
        '--cpus-per-gpu|r|nothing|CPUs for each GPU, instead of --cpus-per-task'
        '--mincpus|r|nothing|use nodes with at least so many CPUs only'
        '--mem|r|nothing|memory on each node, in MiB without a letter; 0 leaves it uncounted'
        '--mem-per-cpu|r|nothing|memory for each CPU, instead of --mem'
        '--mem-per-gpu|r|nothing|memory for each GPU, instead of --mem'
        '--exclusive|o|nothing|whole nodes, shared with no other job; user: shared with no other user; for a step as --exact'
        '-O|n|nothing|all tasks of a node share one CPU'
        '--overcommit|n|nothing|all tasks of a node share one CPU'
        '-w|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '--nodelist|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '-x|r|ask nodes|nodes that must not be used'
        '--exclude|r|ask nodes|nodes that must not be used'
        '-F|r|file|as --nodelist, with the names in a file'
        '--nodefile|r|file|as --nodelist, with the names in a file'
        '-C|r|ask features|features that the nodes must have: a, a&b, a/b'
        '--constraint|r|ask features|features that the nodes must have: a, a&b, a/b'
        '--contiguous|n|nothing|only nodes that are next to each other in the order of their names'
        '--spread-job|n|nothing|use as many nodes as allowed rather than as few as possible'
        '-m|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '--distribution|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '-r|r|nothing|within a job: start the step on its nodes from this one on, counted from 0'
        '--relative|r|nothing|within a job: start the step on its nodes from this one on, counted from 0'
        '-G|r|ask gpus|GPUs for the whole job: 2, a100:2, 0.5, 2.5'
        '--gpus|r|ask gpus|GPUs for the whole job: 2, a100:2, 0.5, 2.5'
        '--gpus-per-node|r|ask gpus|GPUs on each node'
        '--gpus-per-task|r|ask gpus|GPUs for each task, seen by it alone'
        '--gpus-per-socket|r|ask gpus|GPUs for each of --sockets-per-node, on each node'
        '--sockets-per-node|r|nothing|multiplies --gpus-per-socket; has no other effect'
        '--gres|r|gres|GPUs on each node: gpu, gpu:2, gpu:a100:2, gpu:0.5, none'
        '--tres-per-task|r|words cpu= gres/gpu:|for each task: gres/gpu=1,cpu=4'
        '--gpu-bind|r|words closest single: map: mask: none|which of its node'\''s GPUs each task sees: none, single:tasks, per_task:n, map_gpu:list, mask_gpu:list'
        '--tres-bind|r|nothing|as --gpu-bind'
        '--gpu-mem|r|nothing|so much memory of each GPU; alone, the part of a GPU that has it'
        '--node-gpu-ids|r|nothing|exactly these GPUs, by their indices on their nodes: node1:0,1;node2:3'
        '--allowed-gpus|r|nothing|only GPUs with these indices, on whatever node: 0,2-3; how many of them other options say'
        '--model|r|nothing|as many GPUs as the configuration says that this model needs'
        '-t|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '--time|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '--time-min|r|nothing|a shorter limit that will do if the job can start earlier with it'
        '-b|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '--begin|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '--deadline|r|nothing|give the job up if it can'\''t be over by this time'
        '-I|o|nothing|give up if the job has not started within so many seconds (default 1)'
        '--immediate|o|nothing|give up if the job has not started within so many seconds (default 1)'
        '--signal|r|words INT TERM USR1 USR2 HUP KILL CONT STOP|send a signal so many seconds (default 60) before the time limit: to the steps, with B: to the batch shell'
        '-J|r|nothing|name of the job'
        '--job-name|r|nothing|name of the job'
        '-p|r|ask partitions|partition to run in, or several (a,b): it starts in the first with room'
        '--partition|r|ask partitions|partition to run in, or several (a,b): it starts in the first with room'
        '-A|r|ask accounts|account to charge the job to'
        '--account|r|ask accounts|account to charge the job to'
        '-q|r|ask qos|quality of service of the job'
        '--qos|r|ask qos|quality of service of the job'
        '--reservation|r|ask reservations|use the nodes of this reservation'
        '-L|r|ask licenses|licenses that the job needs while it runs'
        '--licenses|r|ask licenses|licenses that the job needs while it runs'
        '--comment|r|nothing|a comment that is kept with the job'
        '--wckey|r|nothing|a key for accounting that is kept with the job'
        '--mail-type|r|words NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS ALL_DONE|when to send mail: BEGIN, END, FAIL, REQUEUE, TIME_LIMIT, ALL and others; ALL_DONE: when your last job has ended'
        '--mail-user|r|nothing|who gets the mail (default: you)'
        '--notify|r|nothing|tell web addresses of the same events: https://..., or slack:, discord:, ntfy: before one (default: the job'\''s end); desktop: a notice of this terminal at the end, of an allocation when it is granted'
        '-M|r|nothing|this cluster'\''s name or all: there is one'
        '--clusters|r|nothing|this cluster'\''s name or all: there is one'
        '--cluster|r|nothing|this cluster'\''s name or all: there is one'
        '--uid|r|ask users|for root: whose job it is, where mgpu is root'\''s'
        '--gid|r|nothing|for root: the group that the job works in'
        '-H|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--hold|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--priority|r|nothing|priority of the job: high, normal or low, a number, higher first, or TOP'
        '--nice|o|nothing|lower the job'\''s priority by this much (default 100)'
        '-d|r|dependency|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '--dependency|r|dependency|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '-k|o|nothing|go on when one of the job'\''s nodes fails'
        '--no-kill|o|nothing|go on when one of the job'\''s nodes fails'
        '--test-only|n|nothing|queue nothing: say when and where the job would start'
        '-D|r|folder|working directory of the job (default: where the command was typed)'
        '--chdir|r|folder|working directory of the job (default: where the command was typed)'
        '-o|r|file|where standard output goes; patterns such as %j, %x, %t; none to discard it'
        '--output|r|file|where standard output goes; patterns such as %j, %x, %t; none to discard it'
        '-e|r|file|where standard error goes (default: to standard output'\''s place)'
        '--error|r|file|where standard error goes (default: to standard output'\''s place)'
        '-i|r|file|where standard input comes from: a file, none, and for srun all or the number of one task'
        '--input|r|file|where standard input comes from: a file, none, and for srun all or the number of one task'
        '--open-mode|r|words append truncate|whether output files are added to or started anew (default truncate)'
        '-l|n|nothing|put the task'\''s number before each line of output'
        '--label|n|nothing|put the task'\''s number before each line of output'
        '-u|n|nothing|pass output on as it comes, not by lines (mgpu does so anyway, unless --label needs whole lines)'
        '--unbuffered|n|nothing|pass output on as it comes, not by lines (mgpu does so anyway, unless --label needs whole lines)'
        '-Q|n|nothing|print errors only'
        '--quiet|n|nothing|print errors only'
        '-v|n|nothing|say what happens'
        '--verbose|n|nothing|say what happens'
        '--pty|n|nothing|run the task in a terminal of its own, to which mgpu-sattach comes back'
        '--no-pty|n|nothing|never use a terminal; by default mgpu-srun does when one task is run from a terminal'
        '--detach-keys|r|words ctrl-a ctrl-b ctrl-p ctrl-\ none|key before d (detach), k (kill), ? (help) in a session: ctrl-\ (default), ctrl-a ..., or "none"'
        '--on-disconnect|r|words detach kill|what becomes of the job when its client is gone (default: detach with a terminal, else kill)'
        '--session-timeout|r|nothing|end the job so long after its start, with a warning before'
        '--connection-timeout|r|nothing|give up each attempt to connect after so long'
        '--max-wait-time|r|nothing|say that the job is alive whenever it has printed nothing for so long'
        '--max-consecutive-timeouts|r|nothing|leave the job to itself after so many such silences in a row (30 with --max-wait-time)'
        '--exit-on-silence|n|nothing|leave the job to itself at the first such silence (after 300 s without --max-wait-time)'
        '--inactivity-timeout|r|nothing|end a session into which nobody typed and which printed nothing for so long'
        '--export|r|words ALL NONE|environment of the job: all of it (default), none, or names and NAME=value pairs; ALL,NAME=value adds'
        '--propagate|o|nothing|soft limits of this shell that the job gets: all (default), none, or some such as STACK,CORE'
        '-E|n|nothing|take numbers of nodes and tasks from the variables rather than from the command line'
        '--preserve-env|n|nothing|take numbers of nodes and tasks from the variables rather than from the command line'
        '--jobid|r|ask jobs|make a step within this job, rather than a job of its own'
        '--job-id|r|ask jobs|make a step within this job, rather than a job of its own'
        '--overlap|n|nothing|within a job: use CPUs and GPUs together with other steps'
        '--exact|n|nothing|within a job: no more CPUs than the tasks need, so that steps can run side by side'
        '--external-launcher|n|nothing|within a job: a step for another launcher'\''s processes, beside all others; as --overlap'
        '--multi-prog|n|nothing|the operand is a file that says which task runs which program'
        '-K|o|nothing|end all tasks when one fails'
        '--kill-on-bad-exit|o|nothing|end all tasks when one fails'
        '-W|r|nothing|end the other tasks so long after the first one ended; 0 (default) waits for all'
        '--wait|r|nothing|end the other tasks so long after the first one ended; 0 (default) waits for all'
        '--mpi|r|words none pmi2 pmix|none only: start MPI programs by mpirun or mpiexec within an allocation'
        '--cpu-bind|r|words none cores threads sockets|bind tasks to CPUs of their nodes: none (default), threads, cores, sockets, map_cpu:0,1 ...; --cpu-bind=help'
        '--cpu_bind|r|words none cores threads sockets|bind tasks to CPUs of their nodes: none (default), threads, cores, sockets, map_cpu:0,1 ...; --cpu-bind=help'
        '--bcast|o|file|copy the program to each node first, and run the copy'
        '--send-libs|o|nothing|no only: libraries are not copied with the program'
        '--prolog|r|nothing|run this here before the step starts'
        '--epilog|r|nothing|run this here after the step'\''s end'
        '--task-prolog|r|nothing|run this before each task, on its node; its lines '\''export NAME=value'\'', '\''unset NAME'\'' and '\''print text'\'' count'
        '--task-epilog|r|nothing|run this after each task, on its node, for a few seconds at most'
        '--conda-env|r|nothing|run in this conda environment of the node, by name or folder; the program does not start without it'
        '--venv|r|file|run in this virtual environment of Python; the program does not start without it'
        '-X|n|nothing|pass one Ctrl-C on to the tasks at once instead of showing how they stand'
        '--disable-status|n|nothing|pass one Ctrl-C on to the tasks at once instead of showing how they stand'
        '--quit-on-interrupt|n|nothing|end the step at one Ctrl-C'
        '--het-group|r|nothing|within a heterogeneous job: a step in these of its components, default 0'
        '--pack-group|r|nothing|within a heterogeneous job: a step in these of its components, default 0'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sshare')
      operand='nothing' table=(
        '-A|r|ask accounts|only these accounts'
        '--accounts|r|ask accounts|only these accounts'
        '-a|n|nothing|show all users'
        '--all|n|nothing|show all users'
        '-e|n|nothing|show the names of the columns'
        '--helpformat|n|nothing|show the names of the columns'
        '-o|r|nothing|the columns to print, such as account%20,user,fairshare'
        '--format|r|nothing|the columns to print, such as account%20,user,fairshare'
        '-l|n|nothing|print more columns'
        '--long|n|nothing|print more columns'
        '-M|r|nothing|this cluster'\''s name: there is one'
        '--clusters|r|nothing|this cluster'\''s name: there is one'
        '-m|n|nothing|print the partitions of associations'
        '--partition|n|nothing|print the partitions of associations'
        '-n|n|nothing|print no line of column names'
        '--noheader|n|nothing|print no line of column names'
        '--noheaders|n|nothing|print no line of column names'
        '-p|n|nothing|print columns with / between them and at the end'
        '--parsable|n|nothing|print columns with / between them and at the end'
        '-P|n|nothing|print columns with / between them'
        '--parsable2|n|nothing|print columns with / between them'
        '-U|n|nothing|show users only'
        '--Users|n|nothing|show users only'
        '-u|r|ask users|only these users'
        '--users|r|ask users|only these users'
        '-v|n|nothing|no effect: errors say all there is to say'
        '--verbose|n|nothing|no effect: errors say all there is to say'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sstat')
      operand='nothing' table=(
        '-a|n|nothing|all steps of jobs that are named without one'
        '--allsteps|n|nothing|all steps of jobs that are named without one'
        '-o|r|nothing|what to print, such as jobid,maxrss%12'
        '--format|r|nothing|what to print, such as jobid,maxrss%12'
        '-e|n|nothing|print the names of all fields'
        '--helpformat|n|nothing|print the names of all fields'
        '-j|r|ask jobs|these jobs or steps, such as 12,12.0,13.batch'
        '--jobs|r|ask jobs|these jobs or steps, such as 12,12.0,13.batch'
        '--noconvert|n|nothing|print amounts in the units in which they are kept'
        '-n|n|nothing|print no line of field names'
        '--noheader|n|nothing|print no line of field names'
        '-p|n|nothing|fields between bars, with a bar at the end'
        '--parsable|n|nothing|fields between bars, with a bar at the end'
        '-P|n|nothing|fields between bars'
        '--parsable2|n|nothing|fields between bars'
        '-i|n|nothing|print the processes of each step'
        '--pidformat|n|nothing|print the processes of each step'
        '-v|n|nothing|no effect: errors say all there is to say'
        '--verbose|n|nothing|no effect: errors say all there is to say'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
        '-M|r|nothing|speak to that cluster of mgpu login; local is this machine'
        '--clusters|r|nothing|speak to that cluster of mgpu login; local is this machine'
      )
      ;;
    'mgpu-strigger')
      operand='nothing' table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
  esac
}

# PATTERN|KIND: what may stand after operands that fit the pattern.
_mgpu_grammar() {
  case $1 in
    'mgpu')
      rules=(
        '|words @subcommands'
        'help |words @subcommands'
      )
      ;;
    'mgpu-scontrol')
      rules=(
        '|words show update hold uhold release requeue requeuehold suspend resume top create delete notify listpids pidinfo wait_job write completing ping reconfigure shutdown version help'
        'show |words job node partition reservation step hostnames hostlist hostlistsorted config licenses daemons aliases topology'
        'show job*|ask past'
        'show node*|ask nodes'
        'show host*|ask nodes'
        'show partition*|ask partitions'
        'show reservation*|ask reservations'
        'show step*|ask steps'
        'show *|nothing'
        'update |words JobId= NodeName= PartitionName= ReservationName='
        'update *nodename=*|words State= Reason= Weight= Comment= Extra= Features= ActiveFeatures= AvailableFeatures='
        'update *partitionname=*|words AllowAccounts= AllowQos= Default= DefaultTime= DefMemPerCPU= DefMemPerNode= DenyAccounts= DenyQos= DisableRootJobs= Hidden= JobDefaults= MaxCPUsPerNode= MaxMemPerCPU= MaxMemPerNode= MaxNodes= MaxTime= MinNodes= Nodes= OverSubscribe= PriorityJobFactor= PriorityTier= QOS= ReqResv= RootOnly= State='
        'update *reservationname=*|words StartTime= EndTime= Duration= Nodes= NodeCnt= Users= Accounts= Flags= PartitionName= Features='
        'update *|words JobId= Account= ArrayTaskThrottle= Comment= Contiguous= CPUsPerTask= Deadline= Dependency= ExcNodeList= Features= Gres= JobName= Licenses= MailType= MailUser= MinCPUsNode= MinMemoryCPU= MinMemoryNode= Name= Nice= NumNodes= NumTasks= OverSubscribe= Partition= Priority= QOS= ReqNodeList= Requeue= ReservationName= StartTime= StdOut= TasksPerNode= TimeLimit= TimeMin= TresPerJob= TresPerNode= TresPerTask= WCKey= WorkDir='
        'create |words reservation partition'
        'create res*|words ReservationName= StartTime= EndTime= Duration= Nodes= NodeCnt= Users= Accounts= Flags= PartitionName= Features='
        'create part*|words PartitionName= AllowAccounts= AllowQos= Default= DefaultTime= DefMemPerCPU= DefMemPerNode= DenyAccounts= DenyQos= DisableRootJobs= Hidden= JobDefaults= MaxCPUsPerNode= MaxMemPerCPU= MaxMemPerNode= MaxNodes= MaxTime= MinNodes= Nodes= OverSubscribe= PriorityJobFactor= PriorityTier= QOS= ReqResv= RootOnly= State='
        'delete |words ReservationName= PartitionName= reservation partition'
        'delete res*|ask reservations'
        'delete part*|ask partitions'
        'write |words batch_script'
        'write batch_script |ask jobs'
        'write *|file'
        'listpids |ask jobs'
        '[huw]*|ask jobs'
        're[lqs]*|ask jobs'
        'suspend *|ask jobs'
        'top *|ask jobs'
        'notify |ask jobs'
      )
      ;;
    'mgpu-sacctmgr')
      rules=(
        '|words add modify delete list show version'
        'list |words account association cluster configuration qos tres user'
        'show |words account association cluster configuration qos tres user'
        'list *|words format= where'
        'show *|words format= where'
        'modify |words account user qos cluster'
        'add |words account user qos'
        'delete |words account user qos'
        'add account *=*|words Parent= Description= Organization= GrpJobs= GrpSubmitJobs= GrpTRES= GrpTRESMins= GrpTRESRunMins= GrpWall= MaxTRESPerJob= MaxTRESPerNode= MaxTRESMinsPerJob= MaxWallDurationPerJob= MaxJobs= MaxSubmitJobs= FairShare= DefaultQOS= QOS='
        'add user *=*|words Accounts= Partitions= DefaultAccount= AdminLevel= GrpJobs= GrpSubmitJobs= GrpTRES= GrpTRESMins= GrpTRESRunMins= GrpWall= MaxTRESPerJob= MaxTRESPerNode= MaxTRESMinsPerJob= MaxWallDurationPerJob= MaxJobs= MaxSubmitJobs= FairShare= DefaultQOS= QOS='
        'add qos *=*|words GrpJobs= GrpSubmitJobs= GrpTRES= GrpTRESMins= GrpTRESRunMins= GrpWall= MaxTRESPerJob= MaxTRESPerNode= MaxTRESMinsPerJob= MaxWallDurationPerJob= MaxJobsPerUser= MaxSubmitJobsPerUser= MaxJobsPerAccount= MaxSubmitJobsPerAccount= MaxTRESPerUser= MaxTRESPerAccount= MinTRESPerJob= Priority= Flags= GraceTime= Preempt= PreemptMode= UsageFactor= Description='
        'add account *?|words Parent= Description= Organization= GrpJobs= GrpSubmitJobs= GrpTRES= GrpTRESMins= GrpTRESRunMins= GrpWall= MaxTRESPerJob= MaxTRESPerNode= MaxTRESMinsPerJob= MaxWallDurationPerJob= MaxJobs= MaxSubmitJobs= FairShare= DefaultQOS= QOS='
        'add user |ask users'
        'add user *?|words Accounts= Partitions= DefaultAccount= AdminLevel= GrpJobs= GrpSubmitJobs= GrpTRES= GrpTRESMins= GrpTRESRunMins= GrpWall= MaxTRESPerJob= MaxTRESPerNode= MaxTRESMinsPerJob= MaxWallDurationPerJob= MaxJobs= MaxSubmitJobs= FairShare= DefaultQOS= QOS='
        'add qos *?|words GrpJobs= GrpSubmitJobs= GrpTRES= GrpTRESMins= GrpTRESRunMins= GrpWall= MaxTRESPerJob= MaxTRESPerNode= MaxTRESMinsPerJob= MaxWallDurationPerJob= MaxJobsPerUser= MaxSubmitJobsPerUser= MaxJobsPerAccount= MaxSubmitJobsPerAccount= MaxTRESPerUser= MaxTRESPerAccount= MinTRESPerJob= Priority= Flags= GraceTime= Preempt= PreemptMode= UsageFactor= Description='
        'modify account *set *|words Parent= Description= Organization= GrpJobs= GrpSubmitJobs= GrpTRES= GrpTRESMins= GrpTRESRunMins= GrpWall= MaxTRESPerJob= MaxTRESPerNode= MaxTRESMinsPerJob= MaxWallDurationPerJob= MaxJobs= MaxSubmitJobs= FairShare= DefaultQOS= QOS='
        'modify user *set *|words Accounts= Partitions= DefaultAccount= AdminLevel= GrpJobs= GrpSubmitJobs= GrpTRES= GrpTRESMins= GrpTRESRunMins= GrpWall= MaxTRESPerJob= MaxTRESPerNode= MaxTRESMinsPerJob= MaxWallDurationPerJob= MaxJobs= MaxSubmitJobs= FairShare= DefaultQOS= QOS='
        'modify qos *set *|words GrpJobs= GrpSubmitJobs= GrpTRES= GrpTRESMins= GrpTRESRunMins= GrpWall= MaxTRESPerJob= MaxTRESPerNode= MaxTRESMinsPerJob= MaxWallDurationPerJob= MaxJobsPerUser= MaxSubmitJobsPerUser= MaxJobsPerAccount= MaxSubmitJobsPerAccount= MaxTRESPerUser= MaxTRESPerAccount= MinTRESPerJob= Priority= Flags= GraceTime= Preempt= PreemptMode= UsageFactor= Description='
        'modify cluster *|words set PriorityWeightAge= PriorityWeightFairShare= PriorityWeightJobSize= PriorityWeightPartition= PriorityWeightQOS= PriorityWeightTRES= PriorityMaxAge= PriorityDecayHalfLife= PriorityFavorSmall= TRESBillingWeights='
        'modify *where *|words Accounts= Users= Partitions= set'
        'modify account |ask accounts'
        'delete account |ask accounts'
        'modify user |ask users'
        'delete user |ask users'
        'modify qos |ask qos'
        'delete qos |ask qos'
        'modify *|words set where'
        'delete *|words where Accounts= Users='
      )
      ;;
    'mgpu-sreport')
      rules=(
        '|words cluster user job'
        'cluster |words Utilization UserUtilizationByAccount AccountUtilizationByUser'
        'user |words TopUsage'
        'job |words SizesByAccount'
        '*|words start= end= format= Users= Accounts='
      )
      ;;
    'mgpu completion')
      rules=(
        '|words bash zsh fish install'
        'install *|words bash zsh fish'
      )
      ;;
    'mgpu feed')
      rules=(
        '|file'
        'list |nothing'
        '*|file'
      )
      ;;
    'mgpu alloc')
      rules=(
        '|words add list pause resume remove log'
        'add |words slurm'
        '*|nothing'
      )
      ;;
    'mgpu exec')
      rules=(
        '|ask running'
        '*|command'
      )
      ;;
    'mgpu forward')
      rules=(
        '|ask running'
      )
      ;;
  esac
}

# What may stand behind KEY=.
_mgpu_key() {
  case $1 in
    jobid) kind='ask jobs' ;;
    nodename) kind='ask nodes' ;;
    nodes) kind='ask nodes' ;;
    reqnodelist) kind='ask nodes' ;;
    excnodelist) kind='ask nodes' ;;
    partition) kind='ask partitions' ;;
    partitions) kind='ask partitions' ;;
    partitionname) kind='ask partitions' ;;
    reservationname) kind='ask reservations' ;;
    reservation) kind='ask reservations' ;;
    account) kind='ask accounts' ;;
    accounts) kind='ask accounts' ;;
    defaultaccount) kind='ask accounts' ;;
    parent) kind='ask accounts' ;;
    allowaccounts) kind='ask accounts' ;;
    denyaccounts) kind='ask accounts' ;;
    qos) kind='ask qos' ;;
    allowqos) kind='ask qos' ;;
    denyqos) kind='ask qos' ;;
    defaultqos) kind='ask qos' ;;
    user) kind='ask users' ;;
    users) kind='ask users' ;;
    preempt) kind='ask qos' ;;
    licenses) kind='ask licenses' ;;
    features) kind='ask features' ;;
    gres) kind='gres' ;;
    trespernode) kind='gres' ;;
    tresperjob) kind='gres' ;;
    trespertask) kind='gres' ;;
    dependency) kind='dependency' ;;
    state) kind='words DRAIN RESUME DOWN IDLE UNDRAIN UP INACTIVE' ;;
    adminlevel) kind='words None Operator Administrator' ;;
    mailtype) kind='words NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS ALL_DONE' ;;
    flags) kind='words MAINT IGNORE_JOBS DAILY WEEKLY ALL_NODES PART_NODES FLEX OVERLAP' ;;
    default) kind='words YES NO' ;;
    hidden) kind='words YES NO' ;;
    rootonly) kind='words YES NO' ;;
    reqresv) kind='words YES NO' ;;
    requeue) kind='words YES NO' ;;
    contiguous) kind='words YES NO' ;;
    disablerootjobs) kind='words YES NO' ;;
    grptres) kind='words cpu= mem= node= gres/gpu= billing=' ;;
    maxtresperjob) kind='words cpu= mem= node= gres/gpu= billing=' ;;
    maxtrespernode) kind='words cpu= mem= node= gres/gpu= billing=' ;;
    maxtresperuser) kind='words cpu= mem= node= gres/gpu= billing=' ;;
    *) kind=nothing ;;
  esac
}

_mgpu_subcommands=(
  'up|Start mgpu on this machine; nothing happens if it runs already'
  'down|End mgpu'\''s daemons; waiting jobs stay in the queue for the next start'
  'status|Show mgpu'\''s daemons and how the queue stands; exit code 1 if something is wrong'
  'health|Say whether mgpu is well: exit code 0 if it is, 1 if something is wrong, 2 if no controller answers'
  'doctor|Look for what is wrong with this machine, the way to the controller and the nodes, and say what to do'
  'metrics|Show how many jobs there were, how long they ran, and how busy each GPU was'
  'nodes|Show the machines of the cluster; remove takes one out for good'
  'alloc|Borrow machines from Slurm while jobs wait: its jobs become nodes here, and leave when they are idle'
  'join|Make this machine a node of a cluster; without a word, start the node daemon of one that joined before'
  'leave|End this machine'\''s node daemon and forget the cluster that it joined'
  'key|Keys of people and machines: make a join token, issue, list, rotate, revoke'
  'login|Store a key for a cluster on another machine, or a cluster of Slurm'\''s; without a word, list the clusters that there are'
  'logout|Forget the key of a cluster'
  'use|Choose the cluster that commands speak to: one of mgpu login, or local for mgpu on this machine'
  'systemd|Print a systemd unit that starts this machine'\''s daemon: mgpud where it joined a cluster, else mgpuctld'
  'top|Show jobs, nodes and GPUs on the whole screen, live; ? lists the keys'
  'why|Say why a job waits and what would start it now, since when it runs, or how it ended'
  'logs|Show the output of jobs that run or have ended; lines are labelled where they come from several files'
  'history|Show the queue as it stood at a time, or what ran between two times'
  'seff|Show how much of its CPUs and memory a job used'
  'screens|List the sessions with a terminal that mgpu-sattach can go to'
  'exec|Run a command inside a running job, with the GPUs and files that it sees'
  'forward|Make a port of a job'\''s node a port of this machine, until Ctrl-C'
  'shims|Make links named srun, sbatch, squeue ... in a folder, for programs that were made for Slurm'
  'sim|Replay a trace, or this cluster'\''s own past, with other policies or on another cluster, side by side'
  'completion|Print the completion script for a shell, or install it where shells look for completions'
  'config|Check the configuration file, show what holds here, or print a sample or its JSON schema'
  'config-sample|Print a configuration file with every key and its default: mgpu config sample'
  'import|Make mgpu'\''s configuration of a slurm.conf, and say line by line what it leaves out'
  'export|Write slurm.conf, gres.conf and cgroup.conf for the present cluster, with its accounts and QOS beside them'
  'submit|Queue a command that the shell runs, or run it here with --interactive'
  'add|Queue a script with its arguments; a .py runs with python, a .sh with bash'
  'feed|Queue the jobs of a file, one a line, once or whenever it changes; each line is queued once'
  'queue|Show the queue and the nodes in plain words; mgpu-squeue and mgpu-sinfo tell more'
  'cancel|End jobs, as mgpu-scancel does, and say so'
  'list-jobs|List jobs, as mgpu-squeue does'
  'cancel-job|End jobs, as mgpu-scancel does, and say so (another name of mgpu cancel)'
  'server|Start mgpu for other machines too, in the background, and print the line that joins a node'
  'master|Start mgpu for other machines too, in the background, and print the line that joins a node (another name of mgpu server)'
  'node|Make this machine a node: mgpu join, with the options of earlier programs'
  'gpu|Keep new jobs off single GPUs, let them in again, or list the GPUs; jobs that run stay'
  'pause-gpu|Keep new jobs off GPUs; jobs that run there stay: mgpu gpu drain'
  'resume-gpu|Let new jobs onto GPUs again: mgpu gpu resume'
  'test|Try mgpu out on this machine: a cluster of its own in a temporary folder, with fake GPUs'
  'help|Show what a command does'
  'version|Show the version'
)

# The names of the cluster, into lines. They are kept in a file for a minute; after some seconds a new one is fetched meanwhile.
_mgpu_names() {
  local file=${MGPU_CONTROLLER:-${MGPU_HOME:-default}} now
  file=${XDG_CACHE_HOME:-$HOME/.cache}/mgpu/completion/${file//\//%}
  lines=()
  [[ -r $file ]] && mapfile -t lines <"$file"
  printf -v now '%(%s)T' -1
  if ((now - ${lines[0]:-0} > 60)); then
    "$_mgpu_program" __complete >/dev/null 2>&1 </dev/null
    lines=()
    [[ -r $file ]] && mapfile -t lines <"$file"
  elif ((now - lines[0] > 5)); then
    ("$_mgpu_program" __complete >/dev/null 2>&1 </dev/null &)
  fi
}

# Keeps a value that goes on from "$member".
_mgpu_offer() {
  case $1 in "$member"*) values+=("$1") abouts+=("$2") ;; esac
}

# Names of a kind; $2 is put before each.
_mgpu_ask() {
  local lines line
  _mgpu_names
  local kind=$1$'\t' prefix=$2 wanted
  case $prefix in
    '') wanted=$kind$member ;;
    "$member"*) wanted=$kind ;;
    *)
      [[ $member == "$prefix"* ]] || return
      wanted=$kind${member#"$prefix"}
      ;;
  esac
  # Hundreds of lines: no function is called for each.
  for line in "${lines[@]}"; do
    [[ $line == "$wanted"* ]] || continue
    line=${line#*$'\t'}
    values+=("$prefix${line%%$'\t'*}") abouts+=("${line#*$'\t'}")
  done
}

# The number of a node within brackets: n[1-4,7
_mgpu_number() {
  local inner=${cur##*\[} base=${cur%\[*} lines line digits
  base=${base##*,}
  member=${inner##*[,-]}
  before+=${cur%"$member"}
  _mgpu_names
  for line in "${lines[@]:1}"; do
    case $line in
      nodes$'\t'"$base"[0-9]*)
        line=${line#*$'\t'}
        digits=${line%%$'\t'*}
        digits=${digits#"$base"}
        case $digits in *[!0-9]*) continue ;; esac
        _mgpu_offer "$digits" "${line#*$'\t'}"
        if [[ $digits == "$member" ]]; then values+=("$digits]") abouts+=('the end of the list'); fi
        ;;
    esac
  done
}

# What fits "$cur" of a kind. Members of lists are completed one by one.
_mgpu_values() {
  local kind=$1 member=$cur word rule rules
  case $kind in
    file | folder) mode=$kind; return ;;
    command) mode=command offset=${#words[@]}; return ;;
    grammar*)
      _mgpu_grammar "${kind#grammar }"
      for rule in "${rules[@]}"; do
        # The pattern is one: not quoted.
        if [[ $operands == ${rule%%|*} ]]; then _mgpu_values "${rule#*|}"; return; fi
      done
      return
      ;;
  esac
  if [[ $kind == 'ask nodes' && $cur == *\[* && ${cur##*\[} != *\]* ]]; then _mgpu_number; return; fi
  case $cur in *,*) member=${cur##*,} before+=${cur%,*}, ;; esac
  case $kind in
    'words @subcommands')
      for word in "${_mgpu_subcommands[@]}"; do _mgpu_offer "${word%%|*}" "${word#*|}"; done
      ;;
    words*) for word in ${kind#words }; do _mgpu_offer "$word" ''; done ;;
    ask*) _mgpu_ask "${kind#ask }" '' ;;
    gres)
      _mgpu_offer gpu: 'GPUs of any type'
      _mgpu_ask gpus gpu:
      ;;
    dependency)
      if [[ $member == *:* ]]; then
        before+=${member%:*}: member=${member##*:}
        _mgpu_ask jobs ''
        return
      fi
      _mgpu_offer afterok: 'after jobs that end well'
      _mgpu_offer afterany: 'after jobs that end'
      _mgpu_offer afternotok: 'after jobs that fail'
      _mgpu_offer after: 'after jobs have begun'
      _mgpu_offer aftercorr: 'each task after its like'
      _mgpu_offer singleton 'one job of this name at a time'
      ;;
  esac
}

# The kind of the next operand is that of a program of the user's own.
_mgpu_is_command() {
  local rules rule
  if [[ $operand == command ]]; then return 0; fi
  [[ $operand == grammar* ]] || return 1
  _mgpu_grammar "${operand#grammar }"
  for rule in "${rules[@]}"; do
    if [[ $operands == ${rule%%|*} ]]; then [[ ${rule#*|} == command ]]; return; fi
  done
  return 1
}

# What fits "$cur" behind "${words[@]}": values with what they are in abouts, each going on from "$before", which is part
# of the word. Another mode than words: file, folder, or command with the offset of the user's program.
_mgpu_find() {
  local name=${words[0]##*/} at=1 operands= pending= ended= operand table index word row rest kind
  values=() abouts=() mode=words offset=0 before=
  case $name in mgpu*) ;; *) name=mgpu-$name ;; esac
  _mgpu_table "$name"
  if [[ $name == mgpu && ${#words[@]} -gt 1 ]]; then
    _mgpu_table "mgpu ${words[1]}"
    if [[ -n $operand ]]; then at=2; else _mgpu_table mgpu; fi
  fi
  for ((index = at; index < ${#words[@]}; index++)); do
    word=${words[index]}
    if [[ -n $pending ]]; then pending=; continue; fi
    if [[ -z $ended && $word == -- ]]; then ended=1; continue; fi
    if [[ -z $ended && $word == -?* ]]; then
      for row in "${table[@]}"; do
        case $row in "$word|r|"*) rest=${row#*|r|} pending=${rest%%|*} ;; esac
      done
      continue
    fi
    # From there on it is the program's affair.
    if _mgpu_is_command; then mode=command offset=$index; return; fi
    operands+="${word,,} "
  done
  if [[ -n $pending ]]; then _mgpu_values "$pending"; return; fi
  if [[ -z $ended && $cur == --*=* ]]; then
    for row in "${table[@]}"; do
      case $row in
        "${cur%%=*}|"[ro]'|'*)
          rest=${row#*|?|} before=${cur%%=*}= cur=${cur#*=}
          _mgpu_values "${rest%%|*}"
          return
          ;;
      esac
    done
    return
  fi
  if [[ -z $ended && $cur == -* ]]; then
    for row in "${table[@]}"; do
      case $row in "$cur"*)
        word=${row%%|*} rest=${row#*|}
        case $word${rest%%|*} in --*[ro]) [[ ${rest%%|*} == n ]] || word+== ;; esac
        values+=("$word") abouts+=("${row##*|}")
        ;;
      esac
    done
    return
  fi
  if [[ $operand == grammar* && $cur == *=* ]]; then
    word=${cur%%=*} before=${cur%%=*}= cur=${cur#*=}
    word=${word%[+-]}
    _mgpu_key "${word,,}"
    _mgpu_values "$kind"
    return
  fi
  _mgpu_values "$operand"
}

_mgpu_complete() {
  local values abouts mode offset before words=() cur rest=${COMP_LINE:0:COMP_POINT} starts=() index word whole
  COMPREPLY=()
  # Bash parts words at = and : as well. What follows without a blank is one word.
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=${rest#"${rest%%[![:blank:]]*}"}
    if [[ $word != "$rest" || index -eq 0 ]]; then words+=('') starts+=("$index"); fi
    rest=$word
    if ((index == COMP_CWORD)); then word=$rest; else word=${COMP_WORDS[index]}; fi
    words[-1]+=$word
    rest=${rest#"$word"}
  done
  cur=${words[-1]}
  whole=$cur
  unset 'words[-1]'
  _mgpu_program=mgpu
  # The mgpu that lies beside what is typed: under Slurm's names, or by a path.
  case ${words[0]} in */mgpu*) _mgpu_program=${words[0]%/*}/mgpu ;; esac
  _mgpu_find
  case $mode in
    file | folder)
      compopt -o filenames 2>/dev/null
      rest=-f
      [[ $mode == folder ]] && rest=-d
      mapfile -t values < <(compgen "$rest" -- "$cur")
      ;;
    command)
      if ((offset < ${#words[@]})) && declare -F _command_offset >/dev/null; then
        _command_offset "${starts[offset]}"
        return
      fi
      compopt -o filenames 2>/dev/null
      if ((offset < ${#words[@]})); then mapfile -t values < <(compgen -f -- "$cur")
      else mapfile -t values < <(compgen -c -f -- "$cur"); fi
      ;;
  esac
  # Bash replaces what follows the last of its own borders only.
  rest=
  for ((index = ${#whole} - 1; index >= 0; index--)); do
    word=${whole:index:1}
    if [[ ($word == = || $word == :) && $COMP_WORDBREAKS == *"$word"* ]]; then rest=${whole:0:index+1}; break; fi
  done
  if [[ $COMP_TYPE != 63 && -z $before$rest ]]; then COMPREPLY=("${values[@]}") values=(); fi
  for index in "${!values[@]}"; do
    word=$before${values[index]}
    word=${word#"$rest"}
    # What is only listed, not inserted, may say what it means.
    if [[ $COMP_TYPE == 63 && ${#values[@]} -gt 1 && -n ${abouts[index]-} ]]; then word+="  (${abouts[index]})"; fi
    COMPREPLY+=("$word")
  done
  case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac
}

# Slurm's names are completed where they lead to mgpu: beside a real Slurm, its own completion stays.
_mgpu_slurm_names() {
  local name
  for name; do
    hash "$name" "mgpu-$name" 2>/dev/null || continue
    if [[ ${BASH_CMDS[$name]} -ef ${BASH_CMDS[mgpu-$name]} ]]; then complete -F _mgpu_complete "$name"; fi
  done
}

if [[ ${1-} == --candidates && $0 == */mgpu.bash ]]; then
  # MODE TAB OFFSET TAB BEFORE, then VALUE TAB ABOUT.
  words=("${@:2:$#-2}") cur=${!#} _mgpu_program=${0%/completions/mgpu.bash}/bin/mgpu
  _mgpu_find
  printf '%s\t%s\t%s\n' "$mode" "$offset" "$before"
  for index in "${!values[@]}"; do printf '%s\t%s\n' "${values[index]}" "${abouts[index]}"; done
else
  complete -F _mgpu_complete mgpu mgpu-sacct mgpu-sacctmgr mgpu-salloc mgpu-sattach mgpu-sbatch mgpu-sbcast mgpu-scancel mgpu-scontrol mgpu-sdiag mgpu-seff mgpu-sinfo mgpu-sprio mgpu-squeue mgpu-sreport mgpu-srun mgpu-sshare mgpu-sstat mgpu-strigger
  _mgpu_slurm_names sacct sacctmgr salloc sattach sbatch sbcast scancel scontrol sdiag seff sinfo sprio squeue sreport srun sshare sstat strigger
fi

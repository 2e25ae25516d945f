# Completion of mgpu's commands for bash. Made by "npm run generate" from the declarations of the options: do not edit.

_mgpu_table() {
  case $1 in
    'mgpu')
      operand='subcommand'
      table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu up')
      operand='nothing'
      table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu down')
      operand='nothing'
      table=(
        '-f|n|nothing|cancel the jobs that run, instead of refusing'
        '--force|n|nothing|cancel the jobs that run, instead of refusing'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu status')
      operand='nothing'
      table=(
        '--json|n|nothing|print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu top')
      operand='nothing'
      table=(
        '--demo|n|nothing|show a simulated busy cluster: nothing is started, asked or changed'
        '--read-only|n|nothing|look, but change nothing'
        '--ascii|n|nothing|draw with ASCII characters only; so it does where the locale is not UTF-8'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu why')
      operand='ask jobs'
      table=(
        '--json|n|nothing|print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu logs')
      operand='ask jobs'
      table=(
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
      )
      ;;
    'mgpu screens')
      operand='nothing'
      table=(
        '-a|n|nothing|those of all users, and not only one'\''s own'
        '--all|n|nothing|those of all users, and not only one'\''s own'
        '--json|n|nothing|print JSON'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu exec')
      operand='file'
      table=(
        '--pty|n|nothing|give it a terminal, also where mgpu-srun would not'
        '--no-pty|n|nothing|give it none, also where mgpu-srun would'
        '-w|r|ask nodes|run it on this node of the job'
        '--nodelist|r|ask nodes|run it on this node of the job'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu forward')
      operand='nothing'
      table=(
        '-w|r|ask nodes|the node of the job that is meant'
        '--nodelist|r|ask nodes|the node of the job that is meant'
        '-q|n|nothing|say nothing but errors'
        '--quiet|n|nothing|say nothing but errors'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu shims')
      operand='folder'
      table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu completion')
      operand='words bash zsh fish'
      table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sacctmgr')
      operand='nothing'
      table=(
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
      )
      ;;
    'mgpu-salloc')
      operand='command'
      table=(
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
        '--exclusive|o|nothing|whole nodes, shared with no other job; user and mcs mean that too; for a step as --exact'
        '-O|n|nothing|all tasks of a node share one CPU'
        '--overcommit|n|nothing|all tasks of a node share one CPU'
        '-w|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '--nodelist|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '-x|r|ask nodes|nodes that must not be used'
        '--exclude|r|ask nodes|nodes that must not be used'
        '-F|r|file|as --nodelist, with the names in a file'
        '--nodefile|r|file|as --nodelist, with the names in a file'
        '-C|r|nothing|features that the nodes must have: a, a&b, a/b'
        '--constraint|r|nothing|features that the nodes must have: a, a&b, a/b'
        '--contiguous|n|nothing|only nodes that are next to each other in the order of their names'
        '--spread-job|n|nothing|use as many nodes as allowed rather than as few as possible'
        '-m|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '--distribution|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '-G|r|nothing|GPUs for the whole job: 2, a100:2'
        '--gpus|r|nothing|GPUs for the whole job: 2, a100:2'
        '--gpus-per-node|r|nothing|GPUs on each node'
        '--gpus-per-task|r|nothing|GPUs for each task, seen by it alone'
        '--gpus-per-socket|r|nothing|GPUs for each of --sockets-per-node, on each node'
        '--sockets-per-node|r|nothing|multiplies --gpus-per-socket; has no other effect'
        '--gres|r|nothing|GPUs on each node: gpu, gpu:2, gpu:a100:2, none'
        '--tres-per-task|r|nothing|for each task: gres/gpu=1,cpu=4'
        '--gpu-bind|r|nothing|which of its node'\''s GPUs each task sees: none, single:tasks, per_task:n, map_gpu:list, mask_gpu:list'
        '--tres-bind|r|nothing|as --gpu-bind'
        '--gpu-mem|r|nothing|only GPUs with at least so much memory'
        '--node-gpu-ids|r|nothing|exactly these GPUs, by their indices on their nodes: node1:0,1;node2:3'
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
        '-p|r|ask partitions|partition to run in'
        '--partition|r|ask partitions|partition to run in'
        '-A|r|nothing|account to charge the job to'
        '--account|r|nothing|account to charge the job to'
        '-q|r|nothing|quality of service of the job'
        '--qos|r|nothing|quality of service of the job'
        '--reservation|r|nothing|use the nodes of this reservation'
        '-L|r|nothing|licenses that the job needs while it runs'
        '--licenses|r|nothing|licenses that the job needs while it runs'
        '--comment|r|nothing|a comment that is kept with the job'
        '--wckey|r|nothing|a key for accounting that is kept with the job'
        '--mail-type|r|words NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS|when to send mail: BEGIN, END, FAIL, REQUEUE, TIME_LIMIT, ALL and others'
        '--mail-user|r|nothing|who gets the mail (default: you)'
        '-M|r|nothing|this cluster'\''s name or all: there is one'
        '--clusters|r|nothing|this cluster'\''s name or all: there is one'
        '--cluster|r|nothing|this cluster'\''s name or all: there is one'
        '--uid|r|nothing|your own name or number only: jobs run as the user who submits them'
        '--gid|r|nothing|your own group'\''s number only'
        '-H|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--hold|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--priority|r|nothing|priority of the job: a number, higher first, or TOP'
        '--nice|o|nothing|lower the job'\''s priority by this much (default 100)'
        '-d|r|words after: afterany: afterok: afternotok: aftercorr: singleton|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '--dependency|r|words after: afterany: afterok: afternotok: aftercorr: singleton|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '-k|o|nothing|go on when one of the job'\''s nodes fails'
        '--no-kill|o|nothing|go on when one of the job'\''s nodes fails'
        '-D|r|folder|working directory of the job (default: where the command was typed)'
        '--chdir|r|folder|working directory of the job (default: where the command was typed)'
        '-Q|n|nothing|print errors only'
        '--quiet|n|nothing|print errors only'
        '-v|n|nothing|say what happens'
        '--verbose|n|nothing|say what happens'
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
      operand='ask jobs'
      table=(
        '--error-filter|r|nothing|show only this task'\''s stderr'
        '--input-filter|r|nothing|what is typed is for this task only, and not for all'
        '-l|n|nothing|put its task'\''s number before each line'
        '--label|n|nothing|put its task'\''s number before each line'
        '--layout|n|nothing|show which tasks run where, and end'
        '--output-filter|r|nothing|show only this task'\''s stdout'
        '--detach-keys|r|nothing|key before d (detach), k (kill), ? (help) in a session: ctrl-\ (default), ctrl-a ..., or "none"'
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
      )
      ;;
    'mgpu-sbatch')
      operand='file'
      table=(
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
        '--exclusive|o|nothing|whole nodes, shared with no other job; user and mcs mean that too; for a step as --exact'
        '-O|n|nothing|all tasks of a node share one CPU'
        '--overcommit|n|nothing|all tasks of a node share one CPU'
        '-w|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '--nodelist|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '-x|r|ask nodes|nodes that must not be used'
        '--exclude|r|ask nodes|nodes that must not be used'
        '-F|r|file|as --nodelist, with the names in a file'
        '--nodefile|r|file|as --nodelist, with the names in a file'
        '-C|r|nothing|features that the nodes must have: a, a&b, a/b'
        '--constraint|r|nothing|features that the nodes must have: a, a&b, a/b'
        '--contiguous|n|nothing|only nodes that are next to each other in the order of their names'
        '--spread-job|n|nothing|use as many nodes as allowed rather than as few as possible'
        '-m|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '--distribution|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '-G|r|nothing|GPUs for the whole job: 2, a100:2'
        '--gpus|r|nothing|GPUs for the whole job: 2, a100:2'
        '--gpus-per-node|r|nothing|GPUs on each node'
        '--gpus-per-task|r|nothing|GPUs for each task, seen by it alone'
        '--gpus-per-socket|r|nothing|GPUs for each of --sockets-per-node, on each node'
        '--sockets-per-node|r|nothing|multiplies --gpus-per-socket; has no other effect'
        '--gres|r|nothing|GPUs on each node: gpu, gpu:2, gpu:a100:2, none'
        '--tres-per-task|r|nothing|for each task: gres/gpu=1,cpu=4'
        '--gpu-bind|r|nothing|which of its node'\''s GPUs each task sees: none, single:tasks, per_task:n, map_gpu:list, mask_gpu:list'
        '--tres-bind|r|nothing|as --gpu-bind'
        '--gpu-mem|r|nothing|only GPUs with at least so much memory'
        '--node-gpu-ids|r|nothing|exactly these GPUs, by their indices on their nodes: node1:0,1;node2:3'
        '-t|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '--time|r|nothing|time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none'
        '--time-min|r|nothing|a shorter limit that will do if the job can start earlier with it'
        '-b|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '--begin|r|nothing|do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00'
        '--deadline|r|nothing|give the job up if it can'\''t be over by this time'
        '--signal|r|words INT TERM USR1 USR2 HUP KILL CONT STOP|send a signal so many seconds (default 60) before the time limit: to the steps, with B: to the batch shell'
        '-J|r|nothing|name of the job'
        '--job-name|r|nothing|name of the job'
        '-p|r|ask partitions|partition to run in'
        '--partition|r|ask partitions|partition to run in'
        '-A|r|nothing|account to charge the job to'
        '--account|r|nothing|account to charge the job to'
        '-q|r|nothing|quality of service of the job'
        '--qos|r|nothing|quality of service of the job'
        '--reservation|r|nothing|use the nodes of this reservation'
        '-L|r|nothing|licenses that the job needs while it runs'
        '--licenses|r|nothing|licenses that the job needs while it runs'
        '--comment|r|nothing|a comment that is kept with the job'
        '--wckey|r|nothing|a key for accounting that is kept with the job'
        '--mail-type|r|words NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS|when to send mail: BEGIN, END, FAIL, REQUEUE, TIME_LIMIT, ALL and others'
        '--mail-user|r|nothing|who gets the mail (default: you)'
        '-M|r|nothing|this cluster'\''s name or all: there is one'
        '--clusters|r|nothing|this cluster'\''s name or all: there is one'
        '--cluster|r|nothing|this cluster'\''s name or all: there is one'
        '--uid|r|nothing|your own name or number only: jobs run as the user who submits them'
        '--gid|r|nothing|your own group'\''s number only'
        '-H|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--hold|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--priority|r|nothing|priority of the job: a number, higher first, or TOP'
        '--nice|o|nothing|lower the job'\''s priority by this much (default 100)'
        '-d|r|words after: afterany: afterok: afternotok: aftercorr: singleton|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '--dependency|r|words after: afterany: afterok: afternotok: aftercorr: singleton|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
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
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sbcast')
      operand='file'
      table=(
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
      )
      ;;
    'mgpu-scancel')
      operand='ask jobs'
      table=(
        '-A|r|nothing|only jobs charged to these accounts'
        '--account|r|nothing|only jobs charged to these accounts'
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
        '-q|r|nothing|only jobs with these qualities of service'
        '--qos|r|nothing|only jobs with these qualities of service'
        '-Q|n|nothing|report nothing, whatever happens'
        '--quiet|n|nothing|report nothing, whatever happens'
        '-R|r|nothing|only jobs in these reservations'
        '--reservation|r|nothing|only jobs in these reservations'
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
      operand='words show update hold uhold release requeue requeuehold suspend resume top ping create delete reconfigure shutdown version'
      table=(
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
        '-u|r|nothing|refused: requests are your own'
        '--uid|r|nothing|refused: requests are your own'
        '-v|n|nothing|no effect: errors say all there is to say'
        '--verbose|n|nothing|no effect: errors say all there is to say'
        '--yaml|o|nothing|refused: not in this version'
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
    'mgpu-sinfo')
      operand='nothing'
      table=(
        '-a|n|nothing|show hidden partitions too'
        '--all|n|nothing|show hidden partitions too'
        '-M|r|nothing|only these clusters: mgpu is one'
        '--clusters|r|nothing|only these clusters: mgpu is one'
        '--cluster|r|nothing|only these clusters: mgpu is one'
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
        '-n|r|nothing|only these nodes, such as n[1-4],login'
        '--nodes|r|nothing|only these nodes, such as n[1-4],login'
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
        '-t|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only nodes in these states, such as idle,mix; down&drain for both at once'
        '--states|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only nodes in these states, such as idle,mix; down&drain for both at once'
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
    'mgpu-squeue')
      operand='nothing'
      table=(
        '-A|r|nothing|only jobs of these accounts'
        '--account|r|nothing|only jobs of these accounts'
        '--accounts|r|nothing|only jobs of these accounts'
        '-a|n|nothing|show jobs of all partitions; no partition of mgpu is hidden, so this changes nothing'
        '--all|n|nothing|show jobs of all partitions; no partition of mgpu is hidden, so this changes nothing'
        '-r|n|nothing|one line for each task of an array; tasks that wait together have one line if not given'
        '--array|n|nothing|one line for each task of an array; tasks that wait together have one line if not given'
        '--array-unique|n|nothing|one line for each array; that is so anyway'
        '-M|r|nothing|only these clusters: mgpu is one'
        '--clusters|r|nothing|only these clusters: mgpu is one'
        '--cluster|r|nothing|only these clusters: mgpu is one'
        '--expand-patterns|n|nothing|names of files are filled in; they are so anyway'
        '-O|r|nothing|what to print: name[:[.][width][suffix]],... for instance JobID:8,Name:.20,State'
        '--Format|r|nothing|what to print: name[:[.][width][suffix]],... for instance JobID:8,Name:.20,State'
        '--federation|n|nothing|show jobs of the federation; mgpu is in none, so this changes nothing'
        '-o|r|nothing|what to print: %[.][width]letter and text between, for instance "%.18i %j %T"'
        '--format|r|nothing|what to print: %[.][width]letter and text between, for instance "%.18i %j %T"'
        '--hide|n|nothing|leave out hidden partitions; none is hidden'
        '-i|r|nothing|print again and again'
        '--iterate|r|nothing|print again and again'
        '-j|o|ask jobs|only these jobs; separate ids by commas'
        '--jobs|o|ask jobs|only these jobs; separate ids by commas'
        '--json|o|nothing|print JSON in the shape of Slurm 23.11 (data_parser v0.0.40); list tells the shapes there are'
        '-L|r|nothing|only jobs that ask for one of these licenses'
        '--licenses|r|nothing|only jobs that ask for one of these licenses'
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
        '-q|r|nothing|only jobs with these qualities of service'
        '--qos|r|nothing|only jobs with these qualities of service'
        '-R|r|nothing|only jobs of this reservation'
        '--reservation|r|nothing|only jobs of this reservation'
        '--sibling|n|nothing|show siblings of a federation'\''s jobs; there are none'
        '--sib|n|nothing|show siblings of a federation'\''s jobs; there are none'
        '-S|r|nothing|order by these letters of --format, each with - for descending order; by job id if not given'
        '--sort|r|nothing|order by these letters of --format, each with - for descending order; by job id if not given'
        '--start|n|nothing|show when and where waiting jobs should start'
        '-t|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only jobs in these states, by long or short name, or all; jobs that are not over if not given'
        '--states|r|words PENDING RUNNING SUSPENDED COMPLETING CONFIGURING COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL OUT_OF_MEMORY all|only jobs in these states, by long or short name, or all; jobs that are not over if not given'
        '-s|o|nothing|show job steps, such as 12.0,13'
        '--steps|o|nothing|show job steps, such as 12.0,13'
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
    'mgpu-srun')
      operand='command'
      table=(
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
        '--exclusive|o|nothing|whole nodes, shared with no other job; user and mcs mean that too; for a step as --exact'
        '-O|n|nothing|all tasks of a node share one CPU'
        '--overcommit|n|nothing|all tasks of a node share one CPU'
        '-w|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '--nodelist|r|ask nodes|nodes that must be among the job'\''s: n1, n[1-4,7], or a file'\''s path'
        '-x|r|ask nodes|nodes that must not be used'
        '--exclude|r|ask nodes|nodes that must not be used'
        '-F|r|file|as --nodelist, with the names in a file'
        '--nodefile|r|file|as --nodelist, with the names in a file'
        '-C|r|nothing|features that the nodes must have: a, a&b, a/b'
        '--constraint|r|nothing|features that the nodes must have: a, a&b, a/b'
        '--contiguous|n|nothing|only nodes that are next to each other in the order of their names'
        '--spread-job|n|nothing|use as many nodes as allowed rather than as few as possible'
        '-m|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '--distribution|r|words block cyclic plane arbitrary|how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary'
        '-r|r|nothing|within a job: start the step on its nodes from this one on, counted from 0'
        '--relative|r|nothing|within a job: start the step on its nodes from this one on, counted from 0'
        '-G|r|nothing|GPUs for the whole job: 2, a100:2'
        '--gpus|r|nothing|GPUs for the whole job: 2, a100:2'
        '--gpus-per-node|r|nothing|GPUs on each node'
        '--gpus-per-task|r|nothing|GPUs for each task, seen by it alone'
        '--gpus-per-socket|r|nothing|GPUs for each of --sockets-per-node, on each node'
        '--sockets-per-node|r|nothing|multiplies --gpus-per-socket; has no other effect'
        '--gres|r|nothing|GPUs on each node: gpu, gpu:2, gpu:a100:2, none'
        '--tres-per-task|r|nothing|for each task: gres/gpu=1,cpu=4'
        '--gpu-bind|r|nothing|which of its node'\''s GPUs each task sees: none, single:tasks, per_task:n, map_gpu:list, mask_gpu:list'
        '--tres-bind|r|nothing|as --gpu-bind'
        '--gpu-mem|r|nothing|only GPUs with at least so much memory'
        '--node-gpu-ids|r|nothing|exactly these GPUs, by their indices on their nodes: node1:0,1;node2:3'
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
        '-p|r|ask partitions|partition to run in'
        '--partition|r|ask partitions|partition to run in'
        '-A|r|nothing|account to charge the job to'
        '--account|r|nothing|account to charge the job to'
        '-q|r|nothing|quality of service of the job'
        '--qos|r|nothing|quality of service of the job'
        '--reservation|r|nothing|use the nodes of this reservation'
        '-L|r|nothing|licenses that the job needs while it runs'
        '--licenses|r|nothing|licenses that the job needs while it runs'
        '--comment|r|nothing|a comment that is kept with the job'
        '--wckey|r|nothing|a key for accounting that is kept with the job'
        '--mail-type|r|words NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS|when to send mail: BEGIN, END, FAIL, REQUEUE, TIME_LIMIT, ALL and others'
        '--mail-user|r|nothing|who gets the mail (default: you)'
        '-M|r|nothing|this cluster'\''s name or all: there is one'
        '--clusters|r|nothing|this cluster'\''s name or all: there is one'
        '--cluster|r|nothing|this cluster'\''s name or all: there is one'
        '--uid|r|nothing|your own name or number only: jobs run as the user who submits them'
        '--gid|r|nothing|your own group'\''s number only'
        '-H|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--hold|n|nothing|submit the job on hold: it waits for mgpu-scontrol release'
        '--priority|r|nothing|priority of the job: a number, higher first, or TOP'
        '--nice|o|nothing|lower the job'\''s priority by this much (default 100)'
        '-d|r|words after: afterany: afterok: afternotok: aftercorr: singleton|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
        '--dependency|r|words after: afterany: afterok: afternotok: aftercorr: singleton|wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any'
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
        '--detach-keys|r|nothing|key before d (detach), k (kill), ? (help) in a session: ctrl-\ (default), ctrl-a ..., or "none"'
        '--on-disconnect|r|nothing|what becomes of the job when its client is gone (default: detach with a terminal, else kill)'
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
        '--mpi|r|nothing|none only: start MPI programs by mpirun or mpiexec within an allocation'
        '--bcast|o|nothing|copy the program to each node first, and run the copy'
        '--send-libs|o|nothing|no only: libraries are not copied with the program'
        '--prolog|r|nothing|run this here before the step starts'
        '--epilog|r|nothing|run this here after the step'\''s end'
        '--task-prolog|r|nothing|run this before each task, on its node; its lines '\''export NAME=value'\'', '\''unset NAME'\'' and '\''print text'\'' count'
        '--task-epilog|r|nothing|run this after each task, on its node, for a few seconds at most'
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
    'mgpu-strigger')
      operand='file'
      table=(
        '-h|n|nothing|show this text'
        '--help|n|nothing|show this text'
        '--usage|n|nothing|show a short reminder of the usage'
        '-V|n|nothing|show the version'
        '--version|n|nothing|show the version'
      )
      ;;
  esac
}

_mgpu_subcommands='up down status top why logs screens exec forward shims completion help version'

# Words of a kind that begin with $2, into COMPREPLY. Members of lists are completed one by one.
_mgpu_values() {
  local kind=$1 cur=$2 list= words word
  case $kind in
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    command) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -c -f -- "$cur"); return ;;
    subcommand) words=$_mgpu_subcommands ;;
    words*) words=${kind#words } ;;
    ask*) words=$(mgpu __complete "${kind#ask }" 2>/dev/null | cut -f1) ;;
    *) return ;;
  esac
  case $cur in *,*) list=${cur%,*}, cur=${cur##*,} ;; esac
  for word in $words; do
    case $word in "$cur"*) COMPREPLY+=("$list$word") ;; esac
  done
  case "${COMPREPLY[*]}" in *:) compopt -o nospace 2>/dev/null ;; esac
}

# The program's own completion, from its name on, which stands at $1.
_mgpu_program() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    _mgpu_values command "${COMP_WORDS[COMP_CWORD]}"
  else
    _mgpu_values file "${COMP_WORDS[COMP_CWORD]}"
  fi
}

_mgpu_complete() {
  local name=${1##*/} operand= table=() row spelling argument kind help at=1 word cur prev pending=
  COMPREPLY=()
  _mgpu_table "$name"
  if [[ $name == mgpu && $COMP_CWORD -gt 1 ]]; then
    _mgpu_table "mgpu ${COMP_WORDS[1]}"
    at=2
  fi
  # Bash makes words of --option, = and value.
  local words=() index
  for ((index = at; index < COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ $word == = ]]; then pending=; continue; fi
    if [[ ${COMP_WORDS[index - 1]} == = && index -gt at ]]; then continue; fi
    if [[ -n $pending ]]; then pending=; continue; fi
    if [[ $word == -?* ]]; then
      for row in "${table[@]}"; do
        IFS='|' read -r spelling argument kind help <<<"$row"
        if [[ $spelling == "$word" && $argument == r ]]; then pending=$kind; fi
      done
      continue
    fi
    # The first word of the user's own program: from there on it is the program's affair.
    if [[ $operand == command ]]; then
      _mgpu_program "$index"
      return
    fi
  done
  cur=${COMP_WORDS[COMP_CWORD]} prev=
  if [[ $cur == = ]]; then cur= prev=${COMP_WORDS[COMP_CWORD - 1]}
  elif [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [[ -n $prev ]]; then
    for row in "${table[@]}"; do
      IFS='|' read -r spelling argument kind help <<<"$row"
      if [[ $spelling == "$prev" ]]; then _mgpu_values "$kind" "$cur"; return; fi
    done
    return
  fi
  if [[ -n $pending ]]; then _mgpu_values "$pending" "$cur"; return; fi
  if [[ $cur != -* ]]; then
    if [[ $operand == command ]]; then _mgpu_program "$COMP_CWORD"; else _mgpu_values "$operand" "$cur"; fi
    return
  fi
  for row in "${table[@]}"; do
    IFS='|' read -r spelling argument kind help <<<"$row"
    [[ $spelling == "$cur"* ]] || continue
    case $spelling$argument in --*[ro]) spelling+== ;; esac
    COMPREPLY+=("$spelling")
    # What is only listed, not inserted, may say what it means.
    if [[ $COMP_TYPE == 63 ]]; then COMPREPLY[-1]+="  ($help)"; fi
  done
  if ((${#COMPREPLY[@]} == 1)); then
    COMPREPLY=("${COMPREPLY[0]%%  (*}")
    case ${COMPREPLY[0]} in *=) compopt -o nospace 2>/dev/null ;; esac
  fi
}
complete -F _mgpu_complete mgpu mgpu-sacctmgr mgpu-salloc mgpu-sattach mgpu-sbatch mgpu-sbcast mgpu-scancel mgpu-scontrol mgpu-sinfo mgpu-squeue mgpu-srun mgpu-strigger

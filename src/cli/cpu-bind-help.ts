/** What srun --cpu-bind=help prints. */

export const CPU_BIND_HELP = `CPU bind options:
    --cpu-bind=         Bind tasks to CPUs of their nodes
        q[uiet]         say nothing of it (default)
        v[erbose]       each task reports its binding before it runs
        no[ne]          leave the tasks to the kernel (default)
        threads         as many CPUs of its own for each task as --cpus-per-task says
        rank            as threads, in the order of the tasks
        cores           whole cores of its own for each task
        sockets         for each task all the step's CPUs on one socket, in turn
        ldoms           for each task all the step's CPUs in one NUMA domain, in turn
        rank_ldom       for each task a whole NUMA domain of the node, in turn
        map_cpu:<list>  one CPU a task, by number: 0,1 or 0*2,3
        mask_cpu:<list> CPUs of each task, in hexadecimal: 0x3,0xc
        map_ldom:<list> one NUMA domain a task, by number
        mask_ldom:<list> NUMA domains of each task, in hexadecimal
        help            show this
`;

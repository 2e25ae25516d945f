/** The release of Slurm whose behaviour and formats the commands have; programs parse it and switch on it. */

export const SLURM_VERSION = "23.11.10";

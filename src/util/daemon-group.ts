/**
 * The control group that a node daemon starts in, below its unit's: `DelegateSubgroup=` of the units that `mgpu systemd`
 * makes (systemd 254 and later). Beside it the daemon may make groups for jobs.
 */
export const DAEMON_GROUP = "mgpu-daemon";

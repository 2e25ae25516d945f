/** What a holder keeps and how long it waits, each with its reason. Times in milliseconds. */

import { STREAM_WINDOW_BYTES } from "../../protocol/envelope.ts";

/** Output that no client acknowledged, for each step: above it the programs block. */
export const OUTPUT_WINDOW_BYTES = STREAM_WINDOW_BYTES;

/** Output that waits for one who only looks on (sattach): above it the oldest is dropped, for the step goes on. */
export const WATCHER_BYTES_MAX = 1024 * 1024;

/** Clients of one step whose input is told apart: its srun, and each sattach. */
export const INPUT_CLIENTS_MAX = 1_000;

/** Reading goes on below this: not after each small acknowledgement. */
export const OUTPUT_RESUME_BYTES = OUTPUT_WINDOW_BYTES / 2;

/** The first look at what a step uses, and the longest time between two: each reads some files of /proc a process. */
export const USAGE_FIRST_MS = 500;
export const USAGE_WATCH_MS = 8_000;

/** What a queued item costs beside its data, so that many tiny ones can't fill memory. */
export const ITEM_OVERHEAD_BYTES = 128;

/** Largest item: larger ones gain nothing and delay the other streams. */
export const ITEM_BYTES_MAX = 32 * 1024;

/** Output is joined for this long: below what an eye sees, enough to spare a frame for each line. */
export const COALESCE_MS = 4;

/** The newest output of a terminal that nobody watches: some thousand full screens' worth of text. */
export const PTY_TAIL_BYTES = 2 * 1024 * 1024;

/**
 * Output that whoever types into a terminal has not taken yet: above it the program blocks, and nothing is lost. Less
 * than the tail that is kept, so that a client whose link dropped goes on at the byte where it was.
 */
export const PTY_HOLD_BYTES = 1024 * 1024;

/** For so long a program waits like that for a client whose link dropped; then it runs on without it. */
export const LINK_GRACE_MS = 10_000;

/** Output that waits to be drawn on the emulated screen: above it the program blocks. */
export const SCREEN_BACKLOG_BYTES = 1024 * 1024;

/** Lines kept above an emulated screen: about 2 MB of memory at 120 columns (terminal.md, section 5.4). */
export const SCROLLBACK_LINES = 1_000;

/** Who looks at one terminal at a time: a lecture hall. */
export const VIEWERS_MAX = 200;

/** Input that waits for a program to read it; a client that waits for its answers never gets near it. */
export const INPUT_WAITING_BYTES_MAX = 1024 * 1024;

/** First and longest wait before a full terminal is offered more input. */
export const PTY_RETRY_MS_MIN = 1;
export const PTY_RETRY_MS_MAX = 5;

/** Tasks that wait to be put into their control group are there within this, a slow machine's shells included. */
export const GATE_KNOCK_MS = 10_000;

/** And then go on without one: their node daemon is away, for longer than a restart takes. */
export const GATE_OPEN_MS = 30_000;

/** After this a terminal whose output is stopped (Ctrl-S) is given up with what it still holds. */
export const PTY_DRAIN_MS_MAX = 2_000;

/** How long a task epilog may take: Slurm's "a few seconds". */
export const EPILOG_MS_MAX = 5_000;

/** How long an attach waits for its step: as long as a slow prolog and a launch may take. */
export const ATTACH_WAIT_MS = 600_000;

/** Attaches that wait for steps nobody launched yet: far more than one node runs, and little memory. */
export const ATTACH_WAITING_MAX = 1_000;

/** A file that takes longer to open is on a dead file server. */
export const OPEN_WAIT_MS = 30_000;

/** Processes left behind when a step's tasks ended have this long between TERM and KILL. */
export const LEFTOVER_KILL_MS = 1_000;

/** A step is over this long after KILL even if a process of it can't be killed (stuck in the kernel). */
export const LEFTOVER_WAIT_MS_MAX = 10_000;

/** Once a step's processes are gone, a pipe still open is held by a stranger that hid from us. */
export const PIPE_END_WAIT_MS = 2_000;

/** A task's exit is told this long after the fact at the latest, even if a child of it holds its output open. */
export const EXIT_NOTICE_MS = 250;

/** A line in a job's output is given up after this: a dead file server must not hold up the end of a job. */
export const NOTICE_WAIT_MS = 1_000;

/** How often a job's processes are stopped and looked for again before TERM: each time catches those just forked. */
export const STOP_SCANS_MAX = 5;

/** How long a stop needs to arrive on another CPU, and a fork in progress to end. */
export const STOP_SETTLE_MS = 3;

/** How often a terminating job's processes are looked for: at first, and in the end. */
export const TERMINATE_POLL_MS_MIN = 20;
export const TERMINATE_POLL_MS_MAX = 200;

/** An ended step that nobody ever attached to is let go: its client had a minute to come. */
export const UNATTACHED_MS = 60_000;

/** Uncollected output is let go this long after its step was forgotten: its client is not coming back. */
export const UNCOLLECTED_MS = 600_000;

/**
 * That of a terminal is let go sooner: its holder is a whole process for that one step, what it keeps is the last of
 * what a screen showed, and a client that only lost its connection seeks it for less than this (cli/attach/link.ts).
 */
export const PTY_UNCOLLECTED_MS = 60_000;

/** A step that was collected stays this long for a client that lost the answer, and asks once more. */
export const LINGER_MS = 60_000;

/** Ended steps remembered, and bytes of uncollected output in all of them: the oldest are let go. */
export const ENDED_STEPS_MAX = 1_000;
export const ENDED_OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** How often the memory of steps is added up: Slurm's usual interval is 30 s, but a machine is full sooner. */
export const MEMORY_WATCH_MS = 1_000;

/** How often all processes are looked at for what ended steps left: a look costs about half a millisecond. */
export const END_LOOK_MS = 10;

/** How often ended steps are looked through. */
export const SWEEP_MS = 5_000;

/** Problem texts of one step are cut here: a thousand tasks can fail in a thousand ways. */
export const PROBLEM_CHARACTERS_MAX = 16 * 1024;

/** And here in the log, which has one line a step. */
export const LOGGED_CHARACTERS_MAX = 1_000;

/** How long a holder that was told to end waits for clients that still read the output of ended steps. */
export const LAST_READERS_MS = 5_000;

/** Between the answer to a shutdown and the end: the answer leaves first. */
export const SHUTDOWN_ANSWER_MS = 50;

/** How often a holder that is to end once nothing runs looks whether that is so. */
export const LEAVE_LOOK_MS = 500;

/** Without any connection for so long a holder that has nothing for anybody ends: its node daemon is not coming back. */
export const ALONE_MS = 600_000;

/**
 * Notices to web addresses (--notify): who is told, and how each service wants to hear it. Pure.
 *
 * Sources: Slack's incoming webhooks take JSON with `text`, Discord's with `content` of at most 2000 characters, ntfy
 * takes the message as the body and its title as a header.
 */

import { expected, type Parsed, splitList } from "./parse.ts";

const KINDS = ["slack", "discord", "ntfy", "json"] as const;

export type NoticeKind = (typeof KINDS)[number];

/** Stands for the terminal of whoever waits for the job: a matter of the command alone. */
export const DESKTOP = "desktop";

/** Most addresses of a job. */
const TARGETS_MAX = 8;
const TARGET_LENGTH_MAX = 1000;
const DISCORD_MAX = 2000;
/** A longer one is an attachment at ntfy, and cut by Slack. */
const NTFY_MAX = 2000;
const SLACK_MAX = 3000;
/** What stands around a block. */
const BLOCK_EXTRA = 9;

/** A web address, and which service answers there. */
export interface NoticeTarget {
  readonly kind: NoticeKind;
  readonly url: string;
}

/** One address: `slack:https://...`, or by its host alone; what is none of the known ones gets JSON. */
export function noticeTarget(text: string): NoticeTarget | null {
  const [, named, url = ""] = /^(?:(slack|discord|ntfy|json):)?(https?:\/\/[^\s,"'<>\\]+)$/i.exec(text) ?? [];
  const host = /^https?:\/\/([^/?#@]+)(?:[/?#]|$)/i.exec(url)?.[1]?.replace(/:\d+$/, "").toLowerCase();
  if (!host || text.length > TARGET_LENGTH_MAX) return null;
  const kind = KINDS.find((one) => one === named?.toLowerCase());
  if (kind) return { kind, url };
  if (host === "hooks.slack.com") return { kind: "slack", url };
  if (host === "discord.com" || host === "discordapp.com") return { kind: "discord", url };
  return { kind: host === "ntfy.sh" ? "ntfy" : "json", url };
}

/** A list of addresses, each kept as it was written. */
export function parseNotify(text: string): Parsed<readonly string[]> {
  const members = splitList(text, TARGETS_MAX);
  if ("problem" in members) return members;
  const wrong = members.value.find((one) => one !== DESKTOP && noticeTarget(one) === null);
  if (wrong === undefined && members.value.length > 0) return { value: [...new Set(members.value)] };
  return expected(
    "web addresses such as https://host/path, or slack:, discord:, ntfy: or json: before one; desktop for this terminal",
    wrong ?? text,
  );
}

/** What is sent to an address. */
export interface NoticeBody {
  readonly type: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What there is to say of a job that has ended: how it used what it had, and what it printed last. */
export interface JobReport {
  /** Sentences of mgpu seff. */
  readonly efficiency: readonly string[];
  readonly output: { readonly path: string; readonly lines: readonly string[] } | null;
}

/** A report as lines of a mail. What a job printed is indented: no line of it begins what a mail program acts on. */
export function reportLines({ efficiency, output }: JobReport): string[] {
  const last =
    output && output.lines.length > 0
      ? [`Last lines of ${output.path}:`, ...output.lines.map((line) => `  ${line}`)]
      : [];
  return [...efficiency, ...(efficiency.length > 0 && last.length > 0 ? [""] : []), ...last];
}

/** A notice as a service wants it. @param variables those of the same mail (core/mail.ts) */
export function noticeBody(
  kind: NoticeKind,
  subject: string,
  variables: Readonly<Record<string, string>>,
  report: JobReport | null = null,
): NoticeBody {
  const lines = report ? reportLines(report) : [];

  const json = (value: unknown): NoticeBody => {
    return { type: "application/json", body: JSON.stringify(value), headers: {} };
  };
  if (kind === "slack") return json({ text: withBlock(subject, lines, SLACK_MAX) });
  if (kind === "discord") return json({ content: withBlock(subject, lines, DISCORD_MAX) });
  if (kind === "ntfy") {
    const title = `Job ${variables.SLURM_JOB_ID} ${variables.SLURM_JOB_MAIL_TYPE}`;
    return {
      type: "text/plain; charset=utf-8",
      body: [subject, ...lines].join("\n").slice(0, NTFY_MAX),
      headers: { title },
    };
  }
  const code = variables.SLURM_JOB_EXIT_CODE_MAX;
  return json({
    event: variables.SLURM_JOB_MAIL_TYPE,
    subject,
    ...(report ? { efficiency: report.efficiency, output: report.output } : {}),
    job: {
      id: Number(variables.SLURM_JOB_ID),
      name: variables.SLURM_JOB_NAME,
      user: variables.SLURM_JOB_USER,
      state: variables.SLURM_JOB_STATE,
      ...(variables.SLURM_JOB_RUN_TIME === undefined ? {} : { runTime: variables.SLURM_JOB_RUN_TIME }),
      ...(code === undefined ? {} : { exitCode: Number(code) }),
    },
  });
}

/** A sentence, and lines below it as they are, in three backquotes as both services want it. */
function withBlock(subject: string, lines: readonly string[], most: number): string {
  const head = subject.slice(0, most);
  const block = lines
    .join("\n")
    .replaceAll("```", "'''")
    .slice(0, Math.max(0, most - head.length - BLOCK_EXTRA));
  return block === "" ? head : `${head}\n\`\`\`\n${block}\n\`\`\``;
}

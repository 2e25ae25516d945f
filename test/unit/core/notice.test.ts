import { expect, test } from "vitest";
import { noticeBody, noticeTarget, parseNotify, reportLines } from "../../../src/core/notice.ts";

test("an address says by itself or by its host which service it is", () => {
  const kinds = (texts: string[]) => texts.map((text) => noticeTarget(text)?.kind ?? null);
  expect(kinds(["https://hooks.slack.com/services/T/B", "https://discord.com/api/webhooks/1/x"])).toEqual([
    "slack",
    "discord",
  ]);
  expect(kinds(["https://ntfy.sh/lab", "ntfy:http://push.lab:8080/jobs", "http://127.0.0.1:1/x"])).toEqual([
    ...["ntfy", "ntfy", "json"],
  ]);
  expect(kinds(["ftp://a/b", "https://", "me@lab", "irc:https://a", "https://u:p@host/"])).toEqual([
    ...[null, null, null, null, null],
  ]);
});

test("a list of addresses, or what is wrong with it", () => {
  expect(parseNotify("https://a/x,slack:https://b/y,https://a/x")).toEqual({
    value: ["https://a/x", "slack:https://b/y"],
  });
  for (const text of ["", "a@b", "https://a/x,nope"]) expect(parseNotify(text)).toHaveProperty("problem");
});

test("each service gets what it reads", () => {
  const variables = {
    ...{ SLURM_JOB_ID: "7", SLURM_JOB_NAME: "train", SLURM_JOB_USER: "ada", SLURM_JOB_STATE: "FAILED" },
    ...{ SLURM_JOB_MAIL_TYPE: "Failed", SLURM_JOB_RUN_TIME: "00:00:05", SLURM_JOB_EXIT_CODE_MAX: "3" },
  };
  const subject = 'Job "7" failed';
  expect(JSON.parse(noticeBody("slack", subject, variables).body)).toEqual({ text: subject });
  expect(JSON.parse(noticeBody("discord", "x".repeat(3000), variables).body).content).toHaveLength(2000);
  expect(noticeBody("ntfy", subject, variables)).toMatchObject({ body: subject, headers: { title: "Job 7 Failed" } });
  expect(JSON.parse(noticeBody("json", subject, variables).body)).toEqual({
    event: "Failed",
    subject,
    job: { id: 7, name: "train", user: "ada", state: "FAILED", runTime: "00:00:05", exitCode: 3 },
  });
});

test("what a job printed is indented in a mail", () => {
  const output = { path: "/w/out", lines: ["~! id", ""] };
  const lines = reportLines({ efficiency: ["CPU Efficiency: 1%"], output });
  expect(lines).toEqual(["CPU Efficiency: 1%", "", "Last lines of /w/out:", "  ~! id", "  "]);
});

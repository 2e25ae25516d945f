/** Every command loads the calling side at its start: it must stay small, and free of native parts. */

import { build } from "esbuild";
import { expect, it } from "vitest";

/** Bytes of minified code; a reason to look twice when it grows. */
const CODE_BYTES_MAX = 90_000;

it("the dialling side is small, and needs nothing but valibot and plain msgpackr", async () => {
  const { metafile, outputFiles } = await build({
    entryPoints: [new URL("../../../src/rpc/connect.ts", import.meta.url).pathname],
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    metafile: true,
    write: false,
    outfile: "connect.js",
  });
  const packages = Object.keys(metafile.inputs).flatMap((path) => /node_modules\/(.*)$/.exec(path)?.[1] ?? []);
  const unexpected = packages.filter((path) => !path.startsWith("valibot/") && !path.startsWith("msgpackr/"));
  expect(unexpected).toEqual([]);
  expect(packages).not.toContain("msgpackr/node-index.js");
  expect(Object.values(metafile.outputs).flatMap((output) => output.imports)).toEqual([]);
  expect(outputFiles[0]?.contents.length).toBeLessThan(CODE_BYTES_MAX);
});

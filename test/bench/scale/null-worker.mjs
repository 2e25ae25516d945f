/** Null-executor runs in a process of their own: argv is the bundle, a folder, and the runs as JSON; one answer a line. */

const [bundle, folder, runs] = process.argv.slice(2);
const world = await import(bundle);

for (const [index, { kind, count }] of JSON.parse(runs).entries()) {
  const place = `${folder}/${index}`;
  const ran = kind === "array" ? await world.runArray(place, count) : await world.runJobs(place, count, 50);
  process.stdout.write(`${JSON.stringify(ran)}\n`);
}

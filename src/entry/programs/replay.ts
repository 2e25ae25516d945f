/** What mgpu sim loads when it runs (`loadReplay` in ../command.ts): the replay of traces. No program by itself. */

export { gunzip } from "../../platform/gzip.ts";
export * from "../../replay/main.ts";

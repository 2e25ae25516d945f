/** What reads the configuration file, with its parser: loaded by commands that find one with words for them (../command.ts). */

export { configuredBackend } from "../../config/backend.ts";
export { loadConfig } from "../../config/load.ts";

/**
 * The register of keys: who was given one, for what, and whether it is still good. No key is stored: each follows from the
 * cluster's secret and the identity it belongs to, so it can be looked up at any time and told to nobody by accident.
 *
 *   controller/keys.json   {"v": 1, "secret": "...", "listen": "0.0.0.0:7411", "keys": [...], "tokens": [...]}   mode 0600
 */

import type { User } from "../../core/jobspec.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Digest } from "../../platform/digest.ts";
import type { Disk } from "../../platform/disk.ts";
import type { Random } from "../../platform/random.ts";
import type { Credential } from "../../platform/secure.ts";
import { RpcError } from "../../protocol/errors.ts";
import { formatIdentity, type Grade, parseIdentity } from "../../protocol/identity.ts";

/** A key that was given out. */
export interface KeyRecord {
  readonly role: Exclude<Grade, "join">;
  readonly name: string;
  readonly generation: number;
  /** As whom its bearer acts. */
  readonly user: User;
  /** Milliseconds since 1970; `null` while it is good. */
  readonly issuedAt: number;
  readonly revokedAt: number | null;
}

/** A token that lets machines join. */
interface TokenRecord {
  readonly name: string;
  readonly usesLeft: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

interface Stored {
  readonly v: 1;
  readonly secret: string;
  /** Where to listen, `host:port`; `null` for nowhere. */
  readonly listen: string | null;
  readonly keys: readonly KeyRecord[];
  readonly tokens: readonly TokenRecord[];
}

export interface KeyPorts {
  readonly disk: Disk;
  readonly random: Random;
  readonly digest: Digest;
  readonly clock: Clock;
}

/** Tokens that are kept at once: an old one goes when its time is over. */
const TOKENS_MAX = 1000;

/** Revoked keys stay listed, so that a name's next key gets another number; so many in all. */
const KEYS_MAX = 10_000;

const SECRET_BYTES = 32;
const TOKEN_NAME_BYTES = 4;

/** A token is typed now and then; 128 bits can't be guessed. */
const TOKEN_KEY_DIGITS = 32;

export class Keys {
  private readonly ports: KeyPorts;
  private readonly path: string;
  private stored: Stored;
  /** The newest write: of two at once of one file, one fails. */
  private writing: Promise<void> = Promise.resolve();

  private constructor(ports: KeyPorts, path: string, stored: Stored) {
    this.ports = ports;
    this.path = path;
    this.stored = stored;
  }

  /** Reads the register, or begins one in memory. Rejects if the file can't be read. */
  static async open(ports: KeyPorts, path: string): Promise<Keys> {
    const secret = ports.random.hex(SECRET_BYTES);
    const empty: Stored = { v: 1, secret, listen: null, keys: [], tokens: [] };
    if ((await ports.disk.size(path)) === null) return new Keys(ports, path, empty);
    const text = new TextDecoder().decode(await ports.disk.read(path));
    try {
      return new Keys(ports, path, { ...empty, ...(JSON.parse(text) as Partial<Stored>) });
    } catch {
      throw new Error(`${path} is damaged; remove it to begin with new keys: all machines have to join again then`);
    }
  }

  /** Where to listen, `host:port`; `null` for nowhere. */
  get listen(): string | null {
    return this.stored.listen;
  }

  setListen(listen: string | null): Promise<void> {
    return this.save({ ...this.stored, listen });
  }

  get all(): readonly KeyRecord[] {
    return this.stored.keys;
  }

  /** The key of whatever has one by its name alone, in hexadecimal. */
  derive(identity: string): string {
    const key = this.ports.digest.derive(this.stored.secret, identity);
    return parseIdentity(identity)?.kind === "join" ? key.slice(0, TOKEN_KEY_DIGITS) : key;
  }

  credential(identity: string): Credential {
    return { identity, key: this.derive(identity) };
  }

  /** The newest key of a name, if it is good. */
  find(role: string, name: string): KeyRecord | undefined {
    return this.stored.keys.find((key) => key.role === role && key.name === name && key.revokedAt === null);
  }

  /** The good key that an identity names. */
  lookUp(identity: string): KeyRecord | null {
    const parsed = parseIdentity(identity);
    const found = parsed && this.find(parsed.kind, parsed.name);
    return found && found.generation === parsed.generation ? found : null;
  }

  /** Gives out a key; an earlier one of that name is no good any more. Resolves when that is on disk. */
  async issue(role: KeyRecord["role"], name: string, user: User): Promise<KeyRecord> {
    if (parseIdentity(formatIdentity({ kind: role, name, generation: 1 })) === null) {
      const hint = "up to 63 letters, digits, '.', '_', '@' and '-', a letter or digit first";
      throw new RpcError("BAD_PARAMS", `a key can't be called "${name}"`, hint);
    }
    if (this.stored.keys.length >= KEYS_MAX) throw new RpcError("TOO_LARGE", `there are ${KEYS_MAX} keys already`);
    const now = this.ports.clock.now();
    const before = this.stored.keys.filter((key) => key.role === role && key.name === name);
    const generation = 1 + before.reduce((most, key) => Math.max(most, key.generation), 0);
    const issued = { role, name, generation, user, issuedAt: now, revokedAt: null };
    // Of a name only the newest is of interest: its number says how many there were.
    const others = this.stored.keys.filter((key) => !before.includes(key));
    await this.save({ ...this.stored, keys: [...others, issued] });
    return issued;
  }

  /** Makes keys void; answers with those that were good. Resolves when that is on disk. */
  async revoke(isMeant: (key: KeyRecord) => boolean): Promise<readonly KeyRecord[]> {
    const revokedAt = this.ports.clock.now();
    const meant = this.stored.keys.filter((key) => key.revokedAt === null && isMeant(key));
    if (meant.length === 0) return [];
    const keys = this.stored.keys.map((key) => (meant.includes(key) ? { ...key, revokedAt } : key));
    await this.save({ ...this.stored, keys });
    return meant;
  }

  /** A token that lets so many machines join within a time. */
  async makeToken(uses: number, ttlMs: number): Promise<Credential> {
    const now = this.ports.clock.now();
    const name = this.ports.random.hex(TOKEN_NAME_BYTES);
    const alive = this.stored.tokens.filter((token) => isGood(token, now));
    if (alive.length >= TOKENS_MAX) throw new RpcError("TOO_LARGE", `${TOKENS_MAX} tokens are waiting to be used`);
    await this.save({ ...this.stored, tokens: [...alive, { name, usesLeft: uses, expiresAt: now + ttlMs }] });
    return this.credential(formatIdentity({ kind: "join", name, generation: 1 }));
  }

  /** Whether a token is good. */
  isToken(name: string): boolean {
    const now = this.ports.clock.now();
    return this.stored.tokens.some((token) => token.name === name && isGood(token, now));
  }

  /** Uses a token once; false if it is no good (any more). */
  async useToken(name: string): Promise<boolean> {
    if (!this.isToken(name)) return false;
    const tokens = this.stored.tokens.map((token) =>
      token.name === name ? { ...token, usesLeft: token.usesLeft - 1 } : token,
    );
    await this.save({ ...this.stored, tokens });
    return true;
  }

  /** In memory at once: a key that is revoked must not let anybody in while the disk writes. */
  private save(stored: Stored): Promise<void> {
    this.stored = stored;
    const { disk } = this.ports;
    const write = (): Promise<void> =>
      disk.replace(this.path, new TextEncoder().encode(`${JSON.stringify(this.stored, null, 1)}\n`));
    const written = this.writing.then(write);
    this.writing = written.catch(() => {});
    return written;
  }
}

function isGood({ usesLeft, expiresAt }: TokenRecord, now: number): boolean {
  return usesLeft > 0 && now < expiresAt;
}

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';

/** What a token may do inside of a sandbox; absent: everything. */
export type Tool = 'exec' | 'files' | 'process' | 'terminal' | 'ports' | 'search' | 'agent';
export const TOOLS: readonly Tool[] = ['exec', 'files', 'process', 'terminal', 'ports', 'search', 'agent'];

export interface SidecarClaims {
  readonly typ: 'sidecar';
  /** Of the key that it was made for: when that goes, so do its tokens. */
  readonly sub: string;
  /** `Caller.by`. */
  readonly by?: string;
  /** The sandbox. */
  readonly cid: string;
  readonly jti: string;
  /** Seconds. */
  readonly exp: number;
  readonly cap?: readonly Tool[];
}

export interface WantedToken {
  readonly sub: string;
  readonly by?: string | undefined;
  readonly cid: string;
  readonly cap?: readonly Tool[] | undefined;
}

export interface SidecarTokens {
  /** `lifeMs`: fifteen minutes, or less. */
  make(
    wanted: WantedToken,
    lifeMs?: number,
  ): {
    readonly token: string;
    readonly expiresAt: number;
  };
  /** Undefined: it is not ours, it has changed, or its time is over. */
  read(token: string): SidecarClaims | undefined;
}

/** Clients ask for the sandbox before each call, and so for a new token. */
export const TOKEN_LIFE_MS = 15 * 60_000;
const HEADER = encode({ alg: 'EdDSA', typ: 'JWT' });

/** A private key as PEM, for the file that keeps it. */
export function makeSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** JSON Web Tokens under one Ed25519 key (RFC 8037); the algorithm is not the token's to choose. */
export function sidecarTokens(pem: string, now: () => number): SidecarTokens {
  const secret: KeyObject = createPrivateKey(pem);
  const open = createPublicKey(secret);
  return {
    make: ({ sub, by, cid, cap }, lifeMs = TOKEN_LIFE_MS) => {
      const expiresAt = now() + lifeMs;
      const claims: SidecarClaims = {
        typ: 'sidecar',
        sub,
        ...(by === undefined ? {} : { by }),
        cid,
        jti: randomUUID(),
        exp: Math.floor(expiresAt / 1000),
        ...(cap === undefined ? {} : { cap }),
      };
      const text = `${HEADER}.${encode(claims)}`;
      return { token: `${text}.${sign(null, Buffer.from(text), secret).toString('base64url')}`, expiresAt };
    },
    read: (token) => {
      const [header, body, signature, ...more] = token.split('.');
      if (header !== HEADER || !body || !signature || more.length > 0) return undefined;
      const isOurs = verify(
        null,
        Buffer.from(`${header}.${body}`),
        open,
        Buffer.from(signature, 'base64url'),
      );
      if (!isOurs) return undefined;
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as SidecarClaims;
      return claims.typ === 'sidecar' && claims.exp * 1000 > now() ? claims : undefined;
    },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

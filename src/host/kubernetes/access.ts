import type { Secret } from '../../base/secret.ts';

/** How a cluster is reached, and as whom. */
export interface ClusterAccess {
  /** Origin, with a path where a proxy stands before the API: `https://10.96.0.1:443`. */
  readonly server: string;
  readonly tls: ClusterTls;
  /** The namespace of who asks, where he says none. */
  readonly namespace: string;
  /** Undefined where a certificate says who asks. `anew`: the last one was not accepted. */
  token(anew: boolean, signal: AbortSignal): Promise<Secret | undefined>;
}

export interface ClusterTls {
  /** PEM; undefined: the system's authorities. */
  readonly ca: string | undefined;
  readonly serverName: string | undefined;
  readonly insecure: boolean;
  /** PEM of a client's certificate and its key. */
  readonly client: { readonly cert: string; readonly key: Secret } | undefined;
}

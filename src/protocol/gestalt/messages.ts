/** The protocol's messages as this provider reads and writes them: `provider.proto` in TypeScript. */

export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface StartSessionRequest {
  readonly pluginName: string;
  readonly template: string;
  readonly image: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly imagePullAuth?: { readonly dockerConfigJson: string } | null;
}

export interface SessionIdRequest {
  readonly sessionId: string;
}

/** `pending`: keep asking. `ready`, `running`: go on. `failed`, `stopped`: give up. gestaltd knows no other. */
export type SessionState = 'pending' | 'ready' | 'running' | 'failed' | 'stopped';

export interface SessionMessage {
  readonly id: string;
  readonly state: SessionState;
  readonly metadata: Readonly<Record<string, string>>;
  readonly lifecycle: { readonly startedAt: Timestamp };
  readonly stateReason: string;
  readonly stateMessage: string;
}

export interface BindHostServiceRequest {
  readonly sessionId: string;
  readonly envVar: string;
  readonly relay?: { readonly dialTarget: string } | null;
}

export interface StartPluginRequest {
  readonly sessionId: string;
  readonly pluginName: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly allowedHosts: readonly string[];
  readonly defaultAction: string;
  /** Empty: the image's own. */
  readonly workdir: string;
}

export interface HostedPlugin {
  readonly id: string;
  readonly sessionId: string;
  readonly pluginName: string;
  readonly dialTarget: string;
}

export interface Checkout {
  readonly url: string;
  readonly ref: string;
  readonly path: string;
}

export interface PrepareWorkspaceRequest {
  readonly sessionId: string;
  readonly agentSessionId: string;
  readonly workspace?: { readonly checkouts: readonly Checkout[]; readonly cwd: string } | null;
}

export interface RemoveWorkspaceRequest {
  readonly sessionId: string;
  readonly agentSessionId: string;
}

export interface LogEntry {
  readonly stream:
    | 'PLUGIN_RUNTIME_LOG_STREAM_STDOUT'
    | 'PLUGIN_RUNTIME_LOG_STREAM_STDERR'
    | 'PLUGIN_RUNTIME_LOG_STREAM_RUNTIME';
  readonly message: string;
  readonly observedAt: Timestamp;
  readonly sourceSeq: number;
}

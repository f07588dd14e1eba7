/** What a publish reports of the snapshot that it saved: to whoever asked for it, and from process to process. */
export interface PublishReport {
  readonly generation: number;
  readonly sequence: number;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly files: number;
  /** Bytes of the state; bytes that were sent. */
  readonly bytes: number;
  readonly uploadedBytes: number;
  readonly durationMs: number;
  /** How long the bot stood still. */
  readonly frozenMs: number;
  readonly consistent: boolean;
}

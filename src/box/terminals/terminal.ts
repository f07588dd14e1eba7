export interface TerminalView {
  readonly sessionId: string;
  /** Of whoever opened it by a WebSocket: by this it is found again. */
  readonly connectionId?: string;
  readonly name: string;
  readonly shell: string;
  readonly command?: string;
  readonly cwd: string;
  readonly isRunning: boolean;
  readonly cols: number;
  readonly rows: number;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Something was typed or printed. */
  readonly lastActivityAt: string;
  /** How it has ended. */
  readonly exitCode?: number;
  readonly exitSignal?: string;
  /** Below the box. */
  readonly streamUrl: string;
}

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

export interface OpenTerminal extends TerminalSize {
  readonly name: string | undefined;
  readonly connectionId?: string | undefined;
  /** What runs there; undefined: a shell. */
  readonly command?: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

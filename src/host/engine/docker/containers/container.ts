/** Of the engine's answers, what we read. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly State: string;
  readonly HostConfig?: { readonly NetworkMode?: string };
}

export interface ContainerDetails {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> | null };
  readonly HostConfig: { readonly NetworkMode: string };
  readonly State: {
    readonly Status: string;
    readonly Paused: boolean;
    readonly OOMKilled: boolean;
    readonly ExitCode: number;
    readonly Error: string;
    /** `0001-01-01T00:00:00Z` where it has not happened. */
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> | null;
  };
}

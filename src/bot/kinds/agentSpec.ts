/** How an agent of some kind is spoken to. What differs between kinds of agents is here, and in what the agent says of itself. */
export interface AgentSpec {
  /** `acp`: JSON-RPC on stdin and stdout. `openai`: chat completions on a private port. `handler`: our launcher calls its function. */
  readonly protocol: 'acp' | 'openai' | 'handler';
  /** What its figures mean: one turn, everything since its process began, or nothing (then they are estimated). */
  readonly usage: 'turn' | 'cumulative' | 'none';
  /** How a conversation of an earlier process is taken up again over ACP; undefined: as `initialize` says. */
  readonly resume: 'resume' | 'load' | 'none' | undefined;
  /** What an agent is answered that asks whether it may: nobody is there who could be asked. */
  readonly permissions: 'reject' | 'allow';
  /** Only of `openai`. */
  readonly openai: OpenAiSpec | undefined;
}

/** An endpoint on loopback that the agent opens. */
export interface OpenAiSpec {
  /** Undefined: a free one, which the agent is told as `{port}`. */
  readonly port: number | undefined;
  readonly path: string;
  /** Answers 200 once the agent can be asked. */
  readonly health: string;
  readonly model: string;
  /** Where a request names its conversation; undefined: the agent keeps none. */
  readonly conversation: { readonly body: string } | { readonly header: string } | undefined;
  /** The variable in which the agent gets the key of this life of its; undefined: it wants none. */
  readonly key: { readonly env: string } | undefined;
}

/** What one life of an agent is given by whoever starts it. */
export interface AgentEndpoint {
  readonly port: number;
  /** Made for this life; the agent asks it of us. */
  readonly key: string;
}
